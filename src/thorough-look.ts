import type { SQSClient } from '@aws-sdk/client-sqs'
import { readDepth } from './depths.ts'
import { type DeadLetter, LOOK_SECONDS, look, MOST } from './dlq.ts'
import { counted } from './format.ts'
import { pauseWhile } from './pause.ts'
import type { Tools } from './stack/tools.ts'

const LOOK_MS = LOOK_SECONDS * 1000
/** The pause before the second look; each further one is twice as long. */
const FIRST_PAUSE_MS = 5_000

/**
 * Looks through the DLQ until all that it counts was visited, each letter once and to be kept. Others may be looking at it, or
 * have been cut off while they did: what they hide is back after two minutes, and for so long this looks again.
 *
 * @returns whether the DLQ may hold letters that were not visited
 */
export async function lookThoroughly(
  sqs: SQSClient,
  queueUrl: string,
  signal: AbortSignal,
  { timing, log }: Tools,
  visit: (letter: DeadLetter) => Promise<void>,
): Promise<boolean> {
  const visited = new Set<string>()
  let lastAt: number | undefined
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    const startedAt = timing.now()
    const seen = await look(sqs, queueUrl, signal, async (letter) => {
      if (!visited.has(letter.id)) await visit(letter)
      visited.add(letter.id)
      return 'keep'
    })
    const now = timing.now()
    // A look that takes longer than it hides letters comes across its first ones again, and ends there.
    if (seen >= MOST || now - startedAt >= LOOK_MS) return true
    const { waiting, inFlight } = await readDepth(sqs, queueUrl)
    const missing = waiting + inFlight - visited.size
    if (!(missing > 0)) return false
    lastAt ??= now + LOOK_MS
    if (startedAt >= lastAt) return true
    log.info(
      `SQS counts ${counted(missing, 'message')} in the dead-letter queue that it did not return, perhaps because somebody else is reading the queue. Looking again.`,
    )
    // Half of the time is chance, so that two that look at the same time don't meet again.
    const pause = pauseMs * (0.5 + timing.random() / 2)
    await pauseWhile(() => !signal.aborted, Math.min(pause, lastAt - now), timing)
  }
}
