import type { Depths } from './depths.ts'
import { type Totals, unsettled } from './totals.ts'

/** A list task says what it found after 20 s, and takes some more to send the rest of it. */
const LISTED_MS = 60_000
/** The pace of the last polls alone would let the estimate jump. */
const PACE_MS = 60_000

type Look = { elapsedMs: number; copied: number }

/** Estimates how long a run still takes. */
export class Remaining {
  #looks: Look[] = []
  #listed = 0
  /** When more was listed last. */
  #listedMs: number | undefined

  /**
   * @param elapsedMs since the run began
   * @returns milliseconds at the pace of the last minute; undefined while more objects may be listed, or nothing is copied
   */
  estimate(totals: Totals, { list }: Pick<Depths, 'list'>, elapsedMs: number): number | undefined {
    this.#looks = this.#looks.filter(
      (_, index, looks) => elapsedMs - (looks[index + 1]?.elapsedMs ?? elapsedMs) < PACE_MS,
    )
    this.#looks.push({ elapsedMs, copied: totals.copied })
    if (list > 0 || totals.listed !== this.#listed || this.#listedMs === undefined) this.#listedMs = elapsedMs
    this.#listed = totals.listed
    const left = unsettled(totals)
    const { elapsedMs: sinceMs, copied } = this.#looks[0] as Look
    if (left === 0 || totals.copied === copied || elapsedMs - this.#listedMs < LISTED_MS) return undefined
    return (left * (elapsedMs - sinceMs)) / (totals.copied - copied)
  }
}
