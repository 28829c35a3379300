import type { Timing } from '../protocol/timing.ts'
import { look } from './dlq.ts'
import type { Watched } from './watch.ts'

/** With nothing new in the DLQ's count, it is still looked through this often while tasks are open. */
const LOOK_EVERY_MS = 60_000

/** How long a look may take: a DLQ with tens of thousands of messages of earlier runs must keep neither outcomes nor the lease waiting. */
const LOOK_MS = 20_000

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

  async poll(count: number, signal: AbortSignal): Promise<void> {
    const due = count > 0 && this.#timing.now() - this.#lastLook >= LOOK_EVERY_MS
    if (count === this.#lastCount && !due) return
    this.#lastCount = count
    await this.lookThrough(signal, this.#timing.now() + LOOK_MS)
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
    const now = this.#timing.now()
    // One that was cut short is gone on with at the next poll.
    this.#lastLook = now < until ? now : 0
  }
}
