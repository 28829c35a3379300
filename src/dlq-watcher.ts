import type { Timing } from '../protocol/timing.ts'
import { type DeadLetter, look } from './dlq.ts'
import type { Delivery } from './inbox.ts'
import type { WatchedRun } from './watch.ts'

/** With nothing new in the DLQ's count, it is still looked through this often while tasks are open. */
const LOOK_EVERY_MS = 60_000

/** How long a look may take while outcomes come, which a DLQ with tens of thousands of messages of earlier runs must not keep waiting. */
const LOOK_MS = 10_000
/** How often one that takes longer says that the run is still watched. */
const SIGN_EVERY_MS = 20_000
const NOTHING: Delivery = { bodies: [], sentAt: 0, remove: async () => {} }

/** Looks through the DLQ when its count changes, and now and then. */
export class DlqWatcher {
  #lastCount = 0
  #lastLook = 0
  readonly #watched: WatchedRun
  readonly #timing: Timing

  constructor(watched: WatchedRun, timing: Timing) {
    this.#watched = watched
    this.#timing = timing
  }

  /**
   * @param isBusy whether outcomes come; when none do, the look is thorough
   * @param deadline of the watching; milliseconds since the epoch
   */
  async poll(count: number, signal: AbortSignal, isBusy: boolean, deadline: number): Promise<void> {
    const now = this.#timing.now()
    const due = count > 0 && now - this.#lastLook >= LOOK_EVERY_MS
    if (count === this.#lastCount && !due) return
    this.#lastCount = count
    await this.lookThrough(signal, isBusy ? now + LOOK_MS : Math.max(deadline, now + LOOK_MS))
  }

  /** @param until milliseconds since the epoch */
  async lookThrough(signal: AbortSignal, until = Number.POSITIVE_INFINITY): Promise<void> {
    const { sqs, stack, deadLetters, took } = this.#watched
    let signAt = this.#timing.now() + SIGN_EVERY_MS
    const goesOn = async () => {
      const now = this.#timing.now()
      if (now >= signAt) {
        signAt = now + SIGN_EVERY_MS
        await took(NOTHING)
      }
      return now < until
    }
    const take = async (letter: DeadLetter) => {
      await deadLetters.take(letter)
      return 'keep' as const
    }
    await look(sqs, stack.deadLetterQueueUrl, signal, take, goesOn)
    this.#lastLook = this.#timing.now()
  }
}
