import { type Depths, isDrained } from './depths.ts'
import { counted, formatBytes, formatCount, formatDuration, formatRate } from './format.ts'
import { Remaining } from './remaining.ts'
import type { Totals } from './totals.ts'

/** Where a run stood at one poll. */
export type Sample = {
  /** Since the run began. */
  elapsedMs: number
  copied: number
}

/** Keeps where the run stood over time, and tells it in one line. */
export class Progress {
  #kept: Sample[]
  /** What was last told, and what the rate then was counted from. */
  #last: Sample
  #before: Sample
  readonly #remaining = new Remaining()

  /** @param samples of the run so far, oldest first */
  constructor(samples: Sample[] = [{ elapsedMs: 0, copied: 0 }]) {
    this.#kept = [...samples]
    this.#last = samples.at(-1) ?? { elapsedMs: 0, copied: 0 }
    this.#before = this.#last
  }

  /** The run's course in a few hundred samples at most, however long it takes; the last one is that of the last line. */
  get samples(): Sample[] {
    return this.#kept.at(-1) === this.#last ? this.#kept : [...this.#kept, this.#last]
  }

  /** A line for the log. The rate is that of the time since the line before, or of a bit more when that was just now. */
  line(totals: Totals, open: number, depths: Depths, elapsedMs: number): string {
    const sample = { elapsedMs, copied: totals.copied }
    if (elapsedMs - this.#last.elapsedMs >= LEAST_MS) this.#before = this.#last
    const seconds = (elapsedMs - this.#before.elapsedMs) / 1000
    const rate = seconds > 0 ? (sample.copied - this.#before.copied) / seconds : 0
    this.#last = sample
    this.#keep(sample)
    const leftMs = this.#remaining.estimate(totals, depths, elapsedMs)
    return [
      formatDuration(elapsedMs).padStart(7),
      `listed ${formatCount(totals.listed)}`,
      `copied ${formatCount(totals.copied)}`,
      `failed ${formatCount(totals.failed)}`,
      ...otherwise(totals),
      formatBytes(totals.bytes),
      formatRate(rate),
      ...(leftMs === undefined ? [] : [`about ${formatDuration(leftMs)} left`]),
      open > 0 || isDrained(depths)
        ? `${counted(open, 'task')} open`
        : 'all tasks settled, waiting for the queues to read empty',
      `queues of the stack: list ${formatCount(depths.list)}, copy ${formatCount(depths.copy)}, in flight ${formatCount(depths.inFlight)}, DLQ ${formatCount(depths.dlq)}`,
    ].join(' | ')
  }

  /** A six-hour run polls thousands of times. What is kept of them stays evenly spread over its time. */
  #keep(sample: Sample): void {
    const apart = sample.elapsedMs / MOST_SAMPLES
    if (isApart(this.#kept.at(-1), sample, apart)) this.#kept.push(sample)
    if (this.#kept.length <= MOST_SAMPLES) return
    const kept: Sample[] = []
    for (const one of this.#kept) if (isApart(kept.at(-1), one, 2 * apart)) kept.push(one)
    this.#kept = kept
  }
}

/** What became of objects that were not copied and have not failed, where there are some. */
function otherwise({ skipped, vanished, deadObjects }: Totals): string[] {
  const counts = { skipped, vanished, 'dead-lettered': deadObjects }
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
}

function isApart(before: Sample | undefined, sample: Sample, ms: number): boolean {
  return before === undefined || sample.elapsedMs - before.elapsedMs >= ms
}

const MOST_SAMPLES = 200
/** A rate of a shorter time says nothing. */
const LEAST_MS = 1_000
