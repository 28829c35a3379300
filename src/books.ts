import type { Checkpoint } from './checkpoint/checkpoint.ts'
import { DeadLetters } from './dead-letters.ts'
import { Failures } from './failures.ts'
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
 * @param reportPath where the list of failures is to be written
 * @param segments what earlier watchers have spooled of the failures
 */
export async function openBooks(
  { run, ledger: snapshot, unlisted: parts, samples }: Checkpoint,
  reportPath: string,
  segments: AsyncIterable<Uint8Array>,
): Promise<Books> {
  const ledger = Ledger.from(snapshot)
  const failures = new Failures(reportPath)
  const unlisted = new UnlistedParts(parts)
  for await (const segment of segments) await failures.restore(segment)
  // Dead letters stay in the DLQ: whoever watches next comes across them again.
  const deadLetters = new DeadLetters(run.id, ledger, failures, unlisted)
  return { ledger, failures, unlisted, deadLetters, progress: new Progress(samples) }
}
