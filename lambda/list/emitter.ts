import type { Lane } from './lane.ts'
import type { Read } from './reader.ts'

/** Emits what a walk has read in a round, while it reads the next. Knows what has to be listed again when that fails. */
export class Emitter<T> {
  #left: Lane[]
  /** What was left when the pages that are being emitted had been read. */
  #next: Lane[]
  #emitting: Promise<void> = Promise.resolve()
  readonly #emit: (pages: Read<T>[]) => Promise<void>

  /** @param lanes all that there is to list */
  constructor(emit: (pages: Read<T>[]) => Promise<void>, lanes: Lane[]) {
    this.#emit = emit
    this.#left = lanes
    this.#next = lanes
  }

  /** What was left to list before any page was read that may not have been emitted. */
  get left(): Lane[] {
    return this.#left
  }

  /**
   * Begins to emit pages when those before have been. Throws what emitting those threw.
   *
   * @param lanes what is left behind the pages
   */
  async emit(pages: Read<T>[], lanes: Lane[]): Promise<void> {
    await this.end()
    this.#next = lanes
    if (pages.length === 0) return
    this.#emitting = this.#emit(pages)
    // Who waits for it later sees the error.
    this.#emitting.catch(() => {})
  }

  /** Waits until all has been emitted. */
  async end(): Promise<void> {
    await this.#emitting
    this.#left = this.#next
  }
}
