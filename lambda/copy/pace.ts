import type { Timing } from '../../protocol/timing.ts'
import { Slots } from '../slots.ts'

/** Copies in flight at most. */
export const IN_FLIGHT = 256
/** Copies a second that a new worker begins with. Lambda starts five at once, which together ask for a quarter of what a partition takes. */
const START = 170
/** However much S3 refuses: 200 workers at this pace are still below the limit of one partition. */
const LEAST = 10
const MOST = 5_000
/** A shorter wait is not worth a timer: at a thousand a second a few go together, which costs the worker much less than one by one. */
const SHORTEST_WAIT_MS = 10
/** How often the pace is reconsidered, and on how many answers at least: by fewer, one refusal would be a deep cut for a slow worker. */
const WINDOW_MS = 250
const WINDOW_ANSWERS = 20
/** So many refusals are reason to do it sooner: while workers still start, most are refused before the pace is cut. */
const WINDOW_REFUSALS = 2
const SHORT_WINDOW_MS = 50
/** What is kept, from one window to the next, of the most that a worker has done: the end of a task makes for idle windows. */
const KEPT = 0.8
/** Growth in a window until S3 refuses for the first time. */
const START_GROWTH = 1.2
/**
 * Growth after that, each second: so many times the square root of the worker's pace, and a share of its pace. If all grew by
 * the same, it would be too much for two hundred on one partition, and take minutes to make a few alike.
 */
const GROWTH_ROOTS_PER_SECOND = 0.36
const GROWTH_SHARE_PER_SECOND = 0.02
/** That share doubles with so many answers in a row that are no refusals: at the limit they are fewer, and where there is room to grow far more. */
const DOUBLING_ANSWERS = 120
const MOST_SHARE_PER_SECOND = 1
/** Where a larger share of the last answers were refusals, growth is less in proportion: many slow workers need no more to stay at the limit. */
const REFUSED_SHARE = 0.007
/** About how many answers count as the last. */
const LATELY_ANSWERS = 256
/** A window's cut is this many times the share that S3 refused, so that a small excess is met with a small cut. */
const CUT_PER_SHARE = 2
const DEEPEST_CUT = 0.3

/**
 * How fast one worker copies, as S3's answers tell: faster while S3 takes everything, slower in proportion to what it
 * refuses. Many workers that share a partition settle just above its limit without asking each other. Since the slower grow by
 * the larger part and all are cut by the same, their paces become alike: the slowest worker is the last to finish its task.
 *
 * Small tasks never need the pace that S3 would allow, so that it grows far beyond what a worker does. A cut therefore begins
 * from what the worker did, or it would be many cuts before one mattered.
 */
export class Pace {
  readonly #timing: Timing
  readonly #flight = new Slots(IN_FLIGHT)
  /** One waits for its turn at a time, so that all of them follow when the pace changes. */
  readonly #turn = new Slots(1)
  #rate = START
  #next = 0
  #everRefused = false
  /** Answers since S3 refused. */
  #accepted = 0
  /** The share of answers of late that were refusals. */
  #refused = 0
  /** The most answers a second of late. It starts high, since the first answers of a new worker may be refusals, which tell nothing of what it can do. */
  #done = START
  #window: Window

  constructor(timing: Timing) {
    this.#timing = timing
    this.#window = newWindow(timing.now())
  }

  /** Copies begun in a second. */
  get rate(): number {
    return this.#rate
  }

  /** Runs `work` when its turn has come, or at once when it is later than `until` (milliseconds since the epoch). */
  async run<T>(work: () => Promise<T>, until = Number.POSITIVE_INFINITY): Promise<T> {
    const slot = this.#flight.take()
    if (slot !== undefined) await slot
    try {
      const turn = this.#turn.take()
      if (turn !== undefined) await turn
      const wait = this.#wait(until)
      if (wait !== undefined) await wait
      this.#turn.give()
      return await work()
    } finally {
      this.#flight.give()
    }
  }

  /** Takes note of an answer of S3: whether it told us to slow down. */
  answered(refused: boolean): void {
    const window = this.#window
    window.answers++
    if (refused) window.refusals++
    this.#refused += ((refused ? 1 : 0) - this.#refused) / LATELY_ANSWERS
    const now = this.#timing.now()
    if (!isEnough(window, now - window.beganAt)) return
    this.#rate = Math.min(MOST, Math.max(LEAST, this.#nextRate((now - window.beganAt) / 1000)))
    this.#window = newWindow(now)
  }

  #nextRate(seconds: number): number {
    const { answers, refusals, waited } = this.#window
    this.#accepted = refusals > 0 ? 0 : this.#accepted + answers
    this.#done = Math.max(answers / seconds, this.#done * KEPT)
    if (refusals > 0) {
      this.#everRefused = true
      const cut = Math.min(DEEPEST_CUT, (CUT_PER_SHARE * refusals) / answers)
      return Math.min(this.#rate, this.#done) * (1 - cut)
    }
    // A worker that did not need its pace has not learnt that a faster one would do.
    if (!waited) return this.#rate
    if (!this.#everRefused) return this.#rate * START_GROWTH
    const share = Math.min(
      MOST_SHARE_PER_SECOND,
      GROWTH_SHARE_PER_SECOND * 2 ** (this.#accepted / DOUBLING_ANSWERS),
    )
    const growth = GROWTH_ROOTS_PER_SECOND * Math.sqrt(this.#rate) + share * this.#rate
    return this.#rate + seconds * growth * Math.min(1, REFUSED_SHARE / this.#refused)
  }

  /** The wait for one's turn, if there is any. */
  #wait(until: number): Promise<void> | undefined {
    const now = this.#timing.now()
    if (now >= until) return undefined
    this.#next = Math.max(now, this.#next) + 1000 / this.#rate
    const pause = this.#next - now
    if (pause < SHORTEST_WAIT_MS) return undefined
    this.#window.waited = true
    return this.#timing.sleep(pause)
  }
}

/** What S3 answered since `beganAt`, and whether a copy had to wait for its turn. */
type Window = { beganAt: number; answers: number; refusals: number; waited: boolean }

function newWindow(beganAt: number): Window {
  return { beganAt, answers: 0, refusals: 0, waited: false }
}

function isEnough({ answers, refusals }: Window, ms: number): boolean {
  if (refusals >= WINDOW_REFUSALS && ms >= SHORT_WINDOW_MS) return true
  return answers >= WINDOW_ANSWERS && ms >= WINDOW_MS
}
