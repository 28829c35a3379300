import type { Depths } from './depths.ts'
import { formatBytes, formatCount, formatDuration } from './format.ts'
import type { Totals } from './ledger.ts'

/** Where a run stood at one poll. */
export type Sample = {
  /** Since the run began. */
  elapsedMs: number
  copied: number
}

/** Keeps where the run stood at each poll, and tells it in one line. */
export class Progress {
  readonly samples: Sample[]
  /** What was last told, and what the rate then was counted from. */
  #last: Sample
  #before: Sample

  /** @param samples of the run so far, oldest first */
  constructor(samples: Sample[] = [{ elapsedMs: 0, copied: 0 }]) {
    this.samples = [...samples]
    this.#last = samples.at(-1) ?? { elapsedMs: 0, copied: 0 }
    this.#before = this.#last
  }

  /** A line for the log. The rate is that of the time since the line before, or of a bit more when that was just now. */
  line(totals: Totals, open: number, depths: Depths, elapsedMs: number): string {
    const sample = { elapsedMs, copied: totals.copied }
    if (elapsedMs - this.#last.elapsedMs >= LEAST_MS) this.#before = this.#last
    const seconds = (elapsedMs - this.#before.elapsedMs) / 1000
    const rate = seconds > 0 ? (sample.copied - this.#before.copied) / seconds : 0
    this.#last = sample
    this.#keep(sample)
    return [
      formatDuration(elapsedMs).padStart(7),
      `listed ${formatCount(totals.listed)}`,
      `copied ${formatCount(totals.copied)}`,
      `failed ${formatCount(totals.failed)}`,
      formatBytes(totals.bytes),
      `${formatCount(rate)} objects/s`,
      `${formatCount(open)} tasks open`,
      `queues: list ${formatCount(depths.list)}, copy ${formatCount(depths.copy)}, in flight ${formatCount(depths.inFlight)}, DLQ ${formatCount(depths.dlq)}`,
    ].join(' | ')
  }

  /** A six-hour run polls thousands of times; a chart needs a few dozen points. */
  #keep(sample: Sample): void {
    this.samples.push(sample)
    if (this.samples.length > MOST_SAMPLES) {
      const kept = this.samples.filter((_, index) => index % 2 === 0)
      this.samples.splice(0, this.samples.length, ...kept)
    }
  }
}

const MOST_SAMPLES = 200
/** A rate of a shorter time says nothing. */
const LEAST_MS = 1_000
