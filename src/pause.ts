import type { Timing } from '../protocol/timing.ts'

/** A cancelled job is noticed within this time. */
const STEP_MS = 1_000

/** Waits for so long, or until that is no longer worthwhile. */
export async function pauseWhile(
  worthwhile: () => boolean,
  ms: number,
  { now, sleep }: Pick<Timing, 'now' | 'sleep'>,
): Promise<void> {
  const until = now() + ms
  for (let left = ms; left > 0 && worthwhile(); left = until - now()) await sleep(Math.min(STEP_MS, left))
}
