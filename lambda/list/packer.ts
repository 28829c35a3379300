import { type Listed, objectBytes, TASK_BYTES } from '../../protocol/message.ts'

/** Room in a task's body for all that is not its objects. */
const HEAD_BYTES = 8 * 1024

/** Objects in a task while the source may be small: all workers shall have some of it. */
const FIRST = [50, 100]

/**
 * Objects in a copy task: few at the beginning, so that a small source is shared by all workers, and as many as the run
 * allows once the source has shown to be large, since each task costs its messages.
 *
 * @param generation of the list task, from 0
 * @param most as the run says
 */
export function taskSize(generation: number, most: number): number {
  return Math.min(most, FIRST[generation] ?? most)
}

/** Packs listed objects into copy tasks: full by count or by size, whichever comes first. */
export class Packer {
  #objects: Listed[] = []
  #bytes = 0
  readonly #most: number
  readonly #send: (objects: Listed[]) => Promise<void>

  /**
   * @param most objects in a task
   * @param send sends one task; called in order, one at a time
   */
  constructor(most: number, send: (objects: Listed[]) => Promise<void>) {
    this.#most = most
    this.#send = send
  }

  /** Takes objects in and sends what is full. */
  async add(objects: readonly Listed[]): Promise<void> {
    for (const object of objects) {
      const bytes = objectBytes(object)
      if (this.#objects.length === this.#most || this.#bytes + bytes > TASK_BYTES - HEAD_BYTES)
        await this.flush()
      this.#objects.push(object)
      this.#bytes += bytes
    }
  }

  /** Sends what is left. */
  async flush(): Promise<void> {
    if (this.#objects.length === 0) return
    const objects = this.#objects
    this.#objects = []
    this.#bytes = 0
    await this.#send(objects)
  }
}
