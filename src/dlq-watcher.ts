import type { Timing } from '../protocol/timing.ts'
import { look } from './dlq.ts'
import type { Watched } from './watch.ts'

/** With nothing new in the DLQ's count, it is still looked through this often while tasks are open. */
const LOOK_EVERY_MS = 60_000

/** How long a look may take while outcomes come, which a DLQ with tens of thousands of messages of earlier runs must not keep waiting. */
const LOOK_MS = 10_000

/** Looks through the DLQ when its count changes, and now and then. */
export class DlqWatcher {
  #lastCount = 0
  #lastLook = 0
  readonly #watched: Watched
  readonly #timing: Timing

  constructor(watched: Watched, timing: Timing) {
    this.#watched = watched
    this.#timing = timing
  }

  /** @param isBusy whether outcomes come; when none do, the look is thorough */
  async poll(count: number, signal: AbortSignal, isBusy: boolean): Promise<void> {
    const due = count > 0 && this.#timing.now() - this.#lastLook >= LOOK_EVERY_MS
    if (count === this.#lastCount && !due) return
    this.#lastCount = count
    await this.lookThrough(signal, isBusy ? this.#timing.now() + LOOK_MS : undefined)
  }

  /** @param until milliseconds since the epoch */
  async lookThrough(signal: AbortSignal, until = Number.POSITIVE_INFINITY): Promise<void> {
    const { sqs, stack, deadLetters } = this.#watched
    await look(
      sqs,
      stack.deadLetterQueueUrl,
      signal,
      async (letter) => {
        await deadLetters.take(letter)
        return 'keep'
      },
      () => this.#timing.now() < until,
    )
    this.#lastLook = this.#timing.now()
  }
}
