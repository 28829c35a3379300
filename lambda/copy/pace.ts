import pLimit from 'p-limit'
import type { Timing } from '../../protocol/timing.ts'

/** Copies in flight at most. */
const IN_FLIGHT = 256
/** Copies begun in a second, before S3 has been asked. */
const START = 100
const LEAST = 1
const MOST = 5_000
/** How often the pace is reconsidered, and on how many answers at least. */
const WINDOW_MS = 250
const WINDOW_ANSWERS = 5
/** Growth in a window without refusals: twofold until the first refusal ever, this much afterwards. */
const GROWTH = 1.01
/** A window's cut is this many times the share that S3 refused, so that a small excess is met with a small cut. */
const CUT_PER_SHARE = 2
const DEEPEST_CUT = 0.5

/**
 * How fast one worker copies, as S3's answers tell: faster while S3 takes everything, slower in proportion to what it
 * refuses. Many workers that share a partition settle just above its limit, each with its share, without asking each
 * other: at the balance the share of refusals is the growth of a window over {@link CUT_PER_SHARE}, half a per cent.
 */
export class Pace {
  readonly #timing: Timing
  readonly #flight = pLimit(IN_FLIGHT)
  /** One waits for its turn at a time, so that all of them follow when the pace changes. */
  readonly #turn = pLimit(1)
  #rate = START
  #next = 0
  #everRefused = false
  #window = { endsAt: 0, answers: 0, refusals: 0, waited: false }

  constructor(timing: Timing) {
    this.#timing = timing
  }

  /** Copies begun in a second. */
  get rate(): number {
    return this.#rate
  }

  /** Runs `work` when its turn has come. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#flight(async () => {
      await this.#turn(() => this.#wait())
      return await work()
    })
  }

  /** Takes note of an answer of S3: whether it told us to slow down. */
  answered(refused: boolean): void {
    const window = this.#window
    window.answers++
    if (refused) window.refusals++
    if (this.#timing.now() < window.endsAt || window.answers < WINDOW_ANSWERS) return
    this.#rate = Math.min(MOST, Math.max(LEAST, this.#rate * this.#change()))
    this.#window = { endsAt: this.#timing.now() + WINDOW_MS, answers: 0, refusals: 0, waited: false }
  }

  #change(): number {
    const { answers, refusals, waited } = this.#window
    if (refusals > 0) {
      this.#everRefused = true
      return 1 - Math.min(DEEPEST_CUT, (CUT_PER_SHARE * refusals) / answers)
    }
    // A worker that did not need its pace has not learnt that a faster one would do.
    if (!waited) return 1
    return this.#everRefused ? GROWTH : 2
  }

  async #wait(): Promise<void> {
    const now = this.#timing.now()
    this.#next = Math.max(now, this.#next) + 1000 / this.#rate
    const pause = this.#next - now
    if (pause < 1) return
    this.#window.waited = true
    await this.#timing.sleep(pause)
  }
}
