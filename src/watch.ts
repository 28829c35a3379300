import type { SQSClient } from '@aws-sdk/client-sqs'
import { isQueueGone } from '../aws/queue.ts'
import type { Timing } from '../protocol/timing.ts'
import { type Budget, isSpent } from './budget.ts'
import { LeaseLostError } from './checkpoint/saver.ts'
import type { DeadLetters } from './dead-letters.ts'
import { type Depths, isDrained, readDepths } from './depths.ts'
import { DlqWatcher } from './dlq-watcher.ts'
import { drain } from './drain.ts'
import type { Failures } from './failures.ts'
import type { Delivery } from './inbox.ts'
import type { Ledger } from './ledger.ts'
import { takeOutcomes } from './outcomes.ts'
import { isPassing, Patience } from './patience.ts'
import type { StackOutputs } from './stack/index.ts'
import type { UnlistedParts } from './unlisted.ts'

/** Counts are right only a minute after senders stop; five quiet, empty minutes can't be a lag. */
const STALL_MS = 5 * 60_000
/** Twice as long as SQS holds a message back at most (900 s; SQS API reference, SendMessage): nobody takes what waits. */
const UNFED_MS = 30 * 60_000
/** After so long without a settled task it is worth asking whether the functions are still fed. */
const QUIET_MS = 60_000

/** Different warnings that one watching gives at most. */
const WARNINGS = 5

/**
 * How watching ended: everything settled, or why not. `stalled`: tasks are open and in no queue; `unfed`: they wait in
 * queues, and no function takes them; `left`: nobody was to wait; `superseded`: somebody else watches;
 * `stopped`: the run queue, or the stack, was deleted elsewhere.
 */
export type Ending =
  | 'settled'
  | 'timed-out'
  | 'stalled'
  | 'unfed'
  | 'over-budget'
  | 'cancelled'
  | 'left'
  | 'superseded'
  | 'stopped'

export type Ended = {
  ending: Ending
  /** When the last task settled, seen or not, or watching was given up; milliseconds since the epoch. */
  endedAt: number
}

export type WatchedRun = {
  sqs: SQSClient
  stack: StackOutputs
  runQueueUrl: string
  ledger: Ledger
  failures: Failures
  deadLetters: DeadLetters
  unlisted: UnlistedParts
  /** Told of each delivery that was counted, empty ones too; takes it off the queue when that is safe. */
  took: (delivery: Delivery) => Promise<void>
}

export type WatchOptions = {
  pollMs: number
  /** Whether to wait for outcomes; if not, those that are there are taken in. */
  wait: boolean
  /** Milliseconds since the epoch. */
  deadline: number
  /** How much may fail. */
  budget: Budget | undefined
  signal: AbortSignal
  timing: Timing
  /** Told after each poll. */
  onPoll: (depths: Depths) => void
  onWarning: (message: string) => void
  /** Called now and then while nothing gets any further. */
  onQuiet: () => Promise<void>
}

/**
 * Takes outcomes in and polls the queues until every task is settled, the time is up, too much has failed, the run
 * stalls, the job is cancelled, or the run is no longer ours. Who waits outlasts an outage of SQS. Throws what AWS answers
 * when it can't be asked.
 */
export async function watch(watched: WatchedRun, options: WatchOptions): Promise<Ended> {
  try {
    return await watchOn(watched, options)
  } catch (error) {
    const endedAt = options.timing.now()
    if (error instanceof LeaseLostError) return { ending: 'superseded', endedAt }
    // A cancelled job breaks off requests, and nothing that breaks then may keep its run going.
    if (options.signal.aborted) return { ending: cancelled(watched), endedAt }
    if (isQueueGone(error) || isStackGone(error)) return { ending: 'stopped', endedAt }
    const ending = isPassing(error) && endingInOutage(watched, options)
    if (!ending) throw error
    return { ending, endedAt }
  }
}

/** What Lambda says of an event source mapping that is no more: of a stack, it goes before the queues. */
function isStackGone(error: unknown): boolean {
  return error instanceof Error && error.name === 'ResourceNotFoundException'
}

/** How watching ends when it ends in an outage; undefined when somebody has to look at it. */
function endingInOutage(watched: WatchedRun, { signal, wait, deadline, timing }: WatchOptions) {
  if (signal.aborted) return cancelled(watched)
  // All is counted; only what is shown of the queues at the end is missing.
  if (watched.ledger.done) return 'settled'
  return wait && timing.now() >= deadline ? 'timed-out' : undefined
}

/** How a run ends whose job is cancelled: there is nothing to stop of one that is settled. */
function cancelled({ ledger }: WatchedRun): Ending {
  return ledger.done ? 'settled' : 'cancelled'
}

async function watchOn(asked: WatchedRun, options: WatchOptions): Promise<Ended> {
  const { ledger } = asked
  const { timing, deadline, signal } = options
  const taking = { ...options, onWarning: firstFew(options.onWarning) }
  const patience = new Patience(asked.sqs, {
    timing,
    worthwhile: () => options.wait && !endingInOutage(asked, options),
    onWarning: taking.onWarning,
  })
  const watched = { ...asked, sqs: patience.sqs }
  const dlq = new DlqWatcher(watched, timing)
  let lastSettled = timing.now()
  let lastProgress = lastSettled
  let lastWork = lastSettled
  let lastQuiet = lastSettled
  let lastSent = 0
  const settledAtFirst = ledger.settled
  let { wait } = options
  while (!signal.aborted) {
    const settledBefore = ledger.settled
    const { more, sentAt } = await takeOutcomes(watched, { ...taking, wait })
    lastSent = Math.max(lastSent, sentAt)
    if (signal.aborted) break
    const now = timing.now()
    const depths = await readDepths(watched.sqs, watched.stack)
    // Maybe hours before it was received.
    const endedAt = ledger.done && lastSent > 0 ? Math.min(now, lastSent) : now
    // Who does not wait leaves soon, and others wait for that.
    const isBusy = !wait || ledger.settled > settledBefore
    if (!ledger.done) await dlq.poll(depths.dlq, signal, isBusy, deadline)
    options.onPoll(depths)
    if (ledger.done) {
      await drain(watched, options, depths)
      await dlq.lookThrough(signal)
      return { ending: 'settled', endedAt }
    }
    if (isSpent(options.budget, ledger.totals)) return { ending: 'over-budget', endedAt: now }
    if (ledger.settled > settledBefore) lastSettled = now
    if (ledger.settled > settledBefore || !isDrained(depths)) lastProgress = now
    if (ledger.settled > settledBefore || depths.inFlight > 0 || isDrained(depths)) lastWork = now
    if (now - Math.max(lastSettled, lastQuiet) >= QUIET_MS) {
      lastQuiet = now
      await lookAfter(taking)
    }
    // What happened in an outage is yet to be seen.
    if (now - Math.max(lastProgress, patience.backAt) >= STALL_MS) {
      // The DLQ's count may lag like the others: what is missing may be there.
      await dlq.lookThrough(signal)
      if (ledger.settled === settledBefore) return { ending: 'stalled', endedAt: now }
      lastProgress = now
    }
    if (now - Math.max(lastWork, patience.backAt) >= UNFED_MS) return { ending: 'unfed', endedAt: now }
    if (!options.wait && (wait || !more)) {
      if (ledger.settled > settledAtFirst || !isDrained(depths)) return { ending: 'left', endedAt: now }
      // No sign of life. Who leaves now would never find out that the run has stalled.
      wait = true
    }
    if (now >= deadline) return { ending: 'timed-out', endedAt: now }
  }
  return { ending: cancelled(asked), endedAt: timing.now() }
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

/** Sees to what may hold a run up. It is asked again later when AWS can't be asked now. */
async function lookAfter({ onQuiet, onWarning }: WatchOptions): Promise<void> {
  try {
    await onQuiet()
  } catch (error) {
    if (!isPassing(error)) throw error
    onWarning(
      `The functions’ event source mappings could not be checked (${(error as Error).name}). The action tries again.`,
    )
  }
}
