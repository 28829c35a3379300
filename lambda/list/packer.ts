import { contentBytes, NO_CONTENTS, withObject } from '../../protocol/contents.ts'
import { TASK_BYTES } from '../../protocol/limits.ts'
import type { Listed } from '../../protocol/task.ts'

/** Room in a task's body for all that is not its objects. */
const HEAD_BYTES = 8 * 1024

/** Bytes of a task's objects at most, but for one that is larger: some seconds of a worker's work in parts. */
const DATA_BYTES = 64 * 1024 ** 3

/** Packs listed objects into copy tasks: full by count, by the size of the message, or by that of the objects. */
export class Packer {
  #objects: Listed[] = []
  #contents = NO_CONTENTS
  /** Bytes of the objects themselves. */
  #size = 0
  #most = 0
  readonly #begin: () => number
  readonly #send: (objects: Listed[]) => Promise<void>

  /**
   * @param begin says how many objects the next task holds at most; called for each
   * @param send sends one task; called in order, one at a time
   */
  constructor(begin: () => number, send: (objects: Listed[]) => Promise<void>) {
    this.#begin = begin
    this.#send = send
  }

  /** Takes objects in and sends what is full. */
  async add(objects: readonly Listed[]): Promise<void> {
    for (const object of objects) {
      let contents = withObject(this.#contents, object)
      if (
        this.#objects.length >= this.#most ||
        contentBytes(contents) > TASK_BYTES - HEAD_BYTES ||
        this.#size + object.size > DATA_BYTES
      ) {
        await this.flush()
        contents = withObject(this.#contents, object)
      }
      if (this.#objects.length === 0) this.#most = this.#begin()
      this.#objects.push(object)
      this.#contents = contents
      this.#size += object.size
    }
  }

  /** Sends what is left. */
  async flush(): Promise<void> {
    if (this.#objects.length === 0) return
    const objects = this.#objects
    this.#objects = []
    this.#contents = NO_CONTENTS
    this.#size = 0
    await this.#send(objects)
  }
}
