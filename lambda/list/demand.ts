import type { Timing } from '../../protocol/timing.ts'

/** Seconds of a listing in which an empty copy queue tells nothing: Lambda starts workers, and little of the source is found. */
const BLIND_SECONDS = 4
const LOOK_EVERY_MS = 1_000
/** After a look that SQS did not answer: it may be busy, and each such look takes time. */
const LOOK_AGAIN_MS = 10_000
/** Copy tasks that should wait for a worker, so that none has to wait for a task: what four partitions take in half a second, at 250 objects each. */
const WANTED = 30
/** With more, list tasks are far ahead of workers: 4 s of what four partitions take. A million objects that four copy come to 150 while they are found. */
const BACKLOG = 220
/** Looks in a row that have to agree: counts lag, so that one says little. */
const LOOKS = 5

/** Whether workers could copy more than they are sent, or are sent more than they can copy for now, by the depth of the copy queue. */
export class Demand {
  /** Looks in a row that found enough tasks, and too few. */
  #enough = 0
  #few = 0
  #backlogged = false
  #lookAt = 0
  readonly #timing: Timing
  readonly #waiting: () => Promise<number | undefined>

  /** @param waiting tells about how many copy tasks wait for a worker; undefined when that can't be told just now */
  constructor(timing: Timing, waiting: () => Promise<number | undefined>) {
    this.#timing = timing
    this.#waiting = waiting
  }

  /** Whether workers have enough to do; taken to be so when that can't be told. */
  get isMet(): boolean {
    return this.#enough >= LOOKS
  }

  /** Whether workers wait for tasks however many are sent. */
  get isUnmet(): boolean {
    return this.#few >= LOOKS
  }

  /** Whether so many tasks wait that more can wait. List tasks see this at about the same time. */
  get isBacklogged(): boolean {
    return this.#backlogged
  }

  /**
   * Looks at the queue, once a second. Returns how many tasks are missing there; none when it was not looked at, or too early.
   *
   * @param age of the listing, in seconds
   */
  async look(age: number): Promise<number> {
    if (this.#timing.now() < this.#lookAt) return 0
    const waiting = await this.#waiting()
    this.#lookAt = this.#timing.now() + (waiting === undefined ? LOOK_AGAIN_MS : LOOK_EVERY_MS)
    this.#backlogged = (waiting ?? 0) > BACKLOG
    if (waiting === undefined) {
      this.#enough = LOOKS
      this.#few = 0
      return 0
    }
    const missing = Math.max(0, WANTED - waiting)
    this.#enough = missing === 0 ? this.#enough + 1 : 0
    if (age < BLIND_SECONDS) return 0
    this.#few = missing > 0 ? this.#few + 1 : 0
    return missing
  }
}
