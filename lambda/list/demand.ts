import type { Timing } from '../../protocol/timing.ts'

/** Seconds of a listing in which an empty copy queue tells nothing: Lambda starts workers, and much of the source is not found. */
const BLIND_SECONDS = 11
const LOOK_EVERY_MS = 1_000
/** Copy tasks that should wait for a worker, so that none has to wait for a task: those of a second, or four partitions. */
const WANTED = 60
/** Workers have enough to do when the queue was that deep at so many looks: SQS lags, so one says little. */
const LOOKS = 5

/** Whether workers could copy more than they are sent, by the depth of the copy queue. */
export class Demand {
  /** Looks that found enough, since one that did not. */
  #enough = 0
  #lookedAt = 0
  readonly #timing: Timing
  readonly #waiting: () => Promise<number | undefined>

  /** @param waiting tells about how many copy tasks wait for a worker; undefined when that can't be told just now */
  constructor(timing: Timing, waiting: () => Promise<number | undefined>) {
    this.#timing = timing
    this.#waiting = waiting
  }

  /** False once workers have enough to do. */
  get mayGrow(): boolean {
    return this.#enough < LOOKS
  }

  /**
   * Looks at the queue, once a second. Returns how many tasks are missing there; none when it was not looked at.
   *
   * @param age of the listing, in seconds
   */
  async look(age: number): Promise<number> {
    const now = this.#timing.now()
    if (age < BLIND_SECONDS || now - this.#lookedAt < LOOK_EVERY_MS) return 0
    this.#lookedAt = now
    const missing = Math.max(0, WANTED - ((await this.#waiting()) ?? WANTED))
    this.#enough = missing === 0 ? this.#enough + 1 : 0
    return missing
  }
}
