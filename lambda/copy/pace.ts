import pLimit, { type LimitFunction } from 'p-limit'

const START = 32
const MOST = 256
/** A cut answers all the refusals of the copies that were in flight when the first one came. */
const CUT_EVERY_MS = 1_000
const CUT = 0.7

/**
 * How many copies a worker keeps in flight, as S3's answers tell: one more after each round of successes, a cut when S3
 * says slow down (additive increase, multiplicative decrease).
 */
export class Pace {
  readonly #limit: LimitFunction = pLimit(START)
  readonly #now: () => number
  #successes = 0
  #lastCut = Number.NEGATIVE_INFINITY

  constructor(now: () => number) {
    this.#now = now
  }

  get concurrency(): number {
    return this.#limit.concurrency
  }

  /** Runs `work` when there is room for it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#limit(work)
  }

  succeeded(): void {
    if (++this.#successes < this.concurrency || this.concurrency === MOST) return
    this.#successes = 0
    this.#limit.concurrency++
  }

  /** S3 said slow down. */
  throttled(): void {
    if (this.#now() - this.#lastCut < CUT_EVERY_MS) return
    this.#lastCut = this.#now()
    this.#successes = 0
    this.#limit.concurrency = Math.max(1, Math.floor(this.concurrency * CUT))
  }
}
