import pLimit from 'p-limit'
import type { Timing } from '../../protocol/timing.ts'

/** Copies in flight at most. */
const IN_FLIGHT = 256
/** Copies begun in a second, before S3 has been asked. */
const START = 50
/** However much S3 refuses: 200 workers at this pace are still below the limit of one partition. */
const LEAST = 10
const MOST = 5_000
/** How often the pace is reconsidered, and on how many answers at least. */
const WINDOW_MS = 250
const WINDOW_ANSWERS = 5
/** Growth in a window until S3 refuses for the first time. */
const START_GROWTH = 2
/** Growth afterwards, each second: the same for every worker, and a little of what it has. */
const GROWTH_PER_SECOND = 1
const GROWTH_SHARE_PER_SECOND = 0.012
/** A window's cut is this many times the share that S3 refused, so that a small excess is met with a small cut. */
const CUT_PER_SHARE = 2
const DEEPEST_CUT = 0.5

/**
 * How fast one worker copies, as S3's answers tell: faster while S3 takes everything, slower in proportion to what it
 * refuses. Many workers that share a partition settle just above its limit without asking each other. Since all grow by the
 * same amount and are cut by the same share, their paces become alike: the slowest worker is the last to finish its task.
 */
export class Pace {
  readonly #timing: Timing
  readonly #flight = pLimit(IN_FLIGHT)
  /** One waits for its turn at a time, so that all of them follow when the pace changes. */
  readonly #turn = pLimit(1)
  #rate = START
  #next = 0
  #everRefused = false
  #window = { beganAt: 0, answers: 0, refusals: 0, waited: false }

  constructor(timing: Timing) {
    this.#timing = timing
  }

  /** Copies begun in a second. */
  get rate(): number {
    return this.#rate
  }

  /** Runs `work` when its turn has come, or at once when it is later than `until` (milliseconds since the epoch). */
  run<T>(work: () => Promise<T>, until = Number.POSITIVE_INFINITY): Promise<T> {
    return this.#flight(async () => {
      await this.#turn(() => this.#wait(until))
      return await work()
    })
  }

  /** Takes note of an answer of S3: whether it told us to slow down. */
  answered(refused: boolean): void {
    const window = this.#window
    window.answers++
    if (refused) window.refusals++
    if (this.#timing.now() < window.beganAt + WINDOW_MS || window.answers < WINDOW_ANSWERS) return
    this.#rate = Math.min(MOST, Math.max(LEAST, this.#nextRate()))
    const now = this.#timing.now()
    this.#window = { beganAt: now, answers: 0, refusals: 0, waited: false }
  }

  #nextRate(): number {
    const { beganAt, answers, refusals, waited } = this.#window
    if (refusals > 0) {
      this.#everRefused = true
      return this.#rate * (1 - Math.min(DEEPEST_CUT, (CUT_PER_SHARE * refusals) / answers))
    }
    // A worker that did not need its pace has not learnt that a faster one would do.
    if (!waited) return this.#rate
    if (!this.#everRefused) return this.#rate * START_GROWTH
    const seconds = (this.#timing.now() - beganAt) / 1000
    return this.#rate + seconds * (GROWTH_PER_SECOND + GROWTH_SHARE_PER_SECOND * this.#rate)
  }

  async #wait(until: number): Promise<void> {
    const now = this.#timing.now()
    if (now >= until) return
    this.#next = Math.max(now, this.#next) + 1000 / this.#rate
    const pause = this.#next - now
    if (pause < 1) return
    this.#window.waited = true
    await this.#timing.sleep(pause)
  }
}
