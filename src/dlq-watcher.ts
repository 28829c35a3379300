import type { Timing } from '../protocol/timing.ts'
import { look } from './dlq.ts'
import type { Watched } from './watch.ts'

/** With nothing new in the DLQ's count, it is still looked through this often while tasks are open. */
const LOOK_EVERY_MS = 60_000

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
    await this.lookThrough(signal)
  }

  async lookThrough(signal: AbortSignal): Promise<void> {
    this.#lastLook = this.#timing.now()
    const { sqs, stack, deadLetters } = this.#watched
    await look(sqs, stack.deadLetterQueueUrl, signal, async (letter) => {
      await deadLetters.take(letter)
      return 'keep'
    })
  }
}
