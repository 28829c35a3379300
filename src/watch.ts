import type { SQSClient } from '@aws-sdk/client-sqs'
import { decodeOutcome, MalformedMessageError, type Outcome } from '../protocol/message.ts'
import type { Timing } from '../protocol/timing.ts'
import { type DeadLetters, look } from './dead-letters.ts'
import { type Depths, isDrained, readDepths } from './depths.ts'
import type { Failures } from './failures.ts'
import { type Delivery, LONGEST_WAIT_SECONDS, receive } from './inbox.ts'
import type { Ledger } from './ledger.ts'
import type { StackOutputs } from './stack/index.ts'
import type { UnlistedParts } from './unlisted.ts'

/** Counts are right only a minute after senders stop; five quiet, empty minutes can't be a lag. */
const STALL_MS = 5 * 60_000
/** After so long without a settled task it is worth asking whether the functions are still fed. */
const QUIET_MS = 60_000
/** With nothing new in the DLQ's count, it is still looked through this often while tasks are open. */
const LOOK_EVERY_MS = 60_000
/** Warnings about messages that are no outcomes at most. */
const WARNINGS = 5
/** Polls at the end that wait for the queues to read empty. */
const DRAIN_POLLS = 3

/** How watching ended: everything settled, or why not. */
export type Ending = 'settled' | 'timed-out' | 'stalled' | 'cancelled'

export type Watch = {
  ending: Ending
  /** When the last task settled or watching was given up; milliseconds since the epoch. */
  endedAt: number
}

export type Watched = {
  sqs: SQSClient
  stack: StackOutputs
  runQueueUrl: string
  ledger: Ledger
  failures: Failures
  deadLetters: DeadLetters
  unlisted: UnlistedParts
}

export type WatchOptions = {
  pollMs: number
  /** Milliseconds since the epoch. */
  deadline: number
  signal: AbortSignal
  timing: Timing
  /** Told after each poll. */
  onPoll: (depths: Depths) => void
  onWarning: (message: string) => void
  /** Called now and then while nothing gets any further. */
  onQuiet: () => Promise<void>
}

/**
 * Takes outcomes in and polls the queues until every task is settled, the time is up, the run stalls or the job is
 * cancelled. Throws what AWS answers when it can't be asked.
 */
export async function watch(watched: Watched, options: WatchOptions): Promise<Watch> {
  const { ledger } = watched
  const { timing, deadline, signal } = options
  const taking = { ...options, onWarning: firstFew(options.onWarning) }
  const dlq = new DlqWatcher(watched, timing)
  let lastSettled = timing.now()
  let lastProgress = lastSettled
  let lastQuiet = lastSettled
  while (!signal.aborted) {
    const settledBefore = ledger.settled
    await takeOutcomes(watched, taking)
    if (signal.aborted) break
    const now = timing.now()
    const depths = await readDepths(watched.sqs, watched.stack)
    if (!ledger.done) await dlq.poll(depths.dlq, signal)
    options.onPoll(depths)
    if (ledger.done) {
      await drain(watched, options, depths)
      await dlq.lookThrough(signal)
      return { ending: 'settled', endedAt: now }
    }
    if (ledger.settled > settledBefore) lastSettled = now
    if (ledger.settled > settledBefore || !isDrained(depths)) lastProgress = now
    if (now - Math.max(lastSettled, lastQuiet) >= QUIET_MS) {
      lastQuiet = now
      await options.onQuiet()
    }
    if (now - lastProgress >= STALL_MS) {
      // The DLQ's count may lag like the others: what is missing may be there.
      await dlq.lookThrough(signal)
      if (ledger.settled === settledBefore) return { ending: 'stalled', endedAt: now }
      lastProgress = now
    }
    if (now >= deadline) return { ending: 'timed-out', endedAt: now }
  }
  return { ending: 'cancelled', endedAt: timing.now() }
}

/** Receives outcomes for one poll interval, or until the last task is settled. */
async function takeOutcomes(
  watched: Watched,
  { pollMs, timing, signal, onWarning }: WatchOptions,
): Promise<void> {
  const until = timing.now() + pollMs
  let busy = false
  while (!watched.ledger.done && !signal.aborted) {
    const leftSeconds = Math.ceil((until - timing.now()) / 1000)
    if (leftSeconds <= 0) return
    const waitSeconds = Math.min(LONGEST_WAIT_SECONDS, leftSeconds)
    const delivery = await receiveUnlessAborted(watched, { waitSeconds, busy, signal })
    if (!delivery) return
    busy = delivery.bodies.length >= 10
    for (const body of delivery.bodies) {
      const outcome = readOutcome(body, onWarning)
      if (outcome) await record(outcome, watched)
    }
    await delivery.remove()
  }
}

async function receiveUnlessAborted(
  { sqs, runQueueUrl }: Watched,
  options: Parameters<typeof receive>[2],
): Promise<Delivery | undefined> {
  try {
    return await receive(sqs, runQueueUrl, options)
  } catch (error) {
    if (options.signal.aborted) return undefined
    throw error
  }
}

function readOutcome(body: string, onWarning: (message: string) => void): Outcome | undefined {
  try {
    return decodeOutcome(body)
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    onWarning(`A message on the run queue is ${error.message}. Is the stack of another version?`)
    return undefined
  }
}

/** Lets a few different warnings through: each is an annotation of the step, and GitHub shows ten. */
function firstFew(warn: (message: string) => void): (message: string) => void {
  const told = new Set<string>()
  return (message) => {
    if (told.has(message) || told.size >= WARNINGS) return
    told.add(message)
    warn(message)
  }
}

async function record(outcome: Outcome, { ledger, failures, unlisted }: Watched): Promise<void> {
  const { task, attempt, children, listed, copied, skipped, bytes } = outcome
  const failed = outcome.failures.length
  const totals = { listed, copied, skipped, failed, bytes }
  if (!ledger.settle({ task, totals, spawned: { attempt, children } })) return
  if (outcome.unlisted) unlisted.add(task, outcome.unlisted)
  await failures.add(task, outcome.failures)
}

/** Gives the queues a few polls to read empty. What they hold after that is another run's, or repetitions that workers drop. */
async function drain(watched: Watched, options: WatchOptions, depths: Depths): Promise<void> {
  let current = depths
  for (let poll = 0; poll < DRAIN_POLLS && !isDrained(current) && !options.signal.aborted; poll++) {
    await options.timing.sleep(Math.min(options.pollMs, 2_000))
    current = await readDepths(watched.sqs, watched.stack)
    options.onPoll(current)
  }
}

/** Looks through the DLQ when its count changes, and now and then. */
class DlqWatcher {
  #lastCount = 0
  #lastLook = 0
  readonly #watched: Watched
  readonly #timing: Timing

  constructor(watched: Watched, timing: Timing) {
    this.#watched = watched
    this.#timing = timing
  }

  async poll(count: number, signal: AbortSignal): Promise<void> {
    const due = count > 0 && this.#timing.now() - this.#lastLook >= LOOK_EVERY_MS
    if (count === this.#lastCount && !due) return
    this.#lastCount = count
    await this.lookThrough(signal)
  }

  async lookThrough(signal: AbortSignal): Promise<void> {
    this.#lastLook = this.#timing.now()
    const { sqs, stack, deadLetters } = this.#watched
    for (const message of await look(sqs, stack.deadLetterQueueUrl, signal)) await deadLetters.take(message)
  }
}
