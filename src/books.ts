import type { Checkpoint } from './checkpoint/checkpoint.ts'
import { DeadLetters } from './dead-letters.ts'
import type { Failures } from './failures.ts'
import { Ledger } from './ledger.ts'
import { Progress } from './progress.ts'
import { UnlistedParts } from './unlisted.ts'

/** All that the action knows of a run. */
export type Books = {
  ledger: Ledger
  failures: Failures
  unlisted: UnlistedParts
  deadLetters: DeadLetters
  progress: Progress
}

/**
 * Opens the books of a run where a checkpoint closed them; at its beginning that is all zeros.
 * @param failures of which nothing is known yet
 * @param segments what earlier watchers have spooled of the failures
 */
export async function openBooks(
  { run, ledger: snapshot, unlisted: parts, samples }: Checkpoint,
  failures: Failures,
  segments: AsyncIterable<Uint8Array>,
): Promise<Books> {
  const ledger = Ledger.from(snapshot)
  const unlisted = new UnlistedParts(parts)
  for await (const segment of segments) await failures.restore(segment)
  // Dead letters stay in the DLQ: whoever watches next comes across them again.
  const deadLetters = new DeadLetters(run.id, ledger, failures, unlisted)
  return { ledger, failures, unlisted, deadLetters, progress: new Progress(samples) }
}
