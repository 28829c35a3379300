import { MalformedMessageError } from '../protocol/message.ts'
import { decodeOutcome, type Outcome } from '../protocol/outcome.ts'
import { isSpent } from './budget.ts'
import { BATCH, LONGEST_WAIT_SECONDS, receive } from './inbox.ts'
import type { WatchedRun, WatchOptions } from './watch.ts'

/** Long enough for SQS to ask all of its servers, which it does for any wait (SQS developer guide, long polling). */
const SHORT_WAIT_SECONDS = 1

/** What receiving came to: whether there may be more at once, and when the latest outcome was sent (0 for none). */
type Taken = { more: boolean; sentAt: number }

/** Receives outcomes for one poll interval, or until the last task is settled or too much has failed. Throws what SQS answers, and when it is aborted. */
export async function takeOutcomes(
  watched: WatchedRun,
  { pollMs, wait, timing, budget, signal, onWarning }: WatchOptions,
): Promise<Taken> {
  const until = timing.now() + pollMs
  let busy = false
  let sentAt = 0
  const { ledger } = watched
  while (!ledger.done && !isSpent(budget, ledger.totals) && !signal.aborted) {
    const leftSeconds = Math.ceil((until - timing.now()) / 1000)
    if (leftSeconds <= 0) return { more: true, sentAt }
    const waitSeconds = Math.min(wait ? LONGEST_WAIT_SECONDS : SHORT_WAIT_SECONDS, leftSeconds)
    const delivery = await receive(watched.sqs, watched.runQueueUrl, { waitSeconds, busy, signal })
    sentAt = Math.max(sentAt, delivery.sentAt)
    busy = delivery.bodies.length >= BATCH
    for (const body of delivery.bodies) {
      const outcome = readOutcome(body, onWarning)
      if (outcome) await record(outcome, watched)
    }
    await watched.took(delivery)
    if (!wait && delivery.bodies.length === 0) break
  }
  return { more: false, sentAt }
}

function readOutcome(body: string, onWarning: (message: string) => void): Outcome | undefined {
  try {
    return decodeOutcome(body)
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error
    onWarning(
      `A message on the run queue is ignored, because it is ${error.message}. The stack may be of another version.`,
    )
    return undefined
  }
}

async function record(outcome: Outcome, { ledger, failures, unlisted }: WatchedRun): Promise<void> {
  const { task, attempt, children, listed, copied, skipped, vanished, reclassed, bytes } = outcome
  const failed = outcome.failures.length
  const totals = { listed, copied, skipped, vanished, failed, reclassed, bytes }
  if (!ledger.settle({ task, totals, spawned: { attempt, children } })) return
  if (outcome.unlisted) unlisted.add(task, outcome.unlisted)
  await failures.add(task, outcome.failures)
}
