import { contentBytes, NO_CONTENTS, withObject } from '../protocol/contents.ts'
import { TASK_BYTES } from '../protocol/limits.ts'
import type { Listed } from '../protocol/task.ts'

/** Room in a task's body for all that is not its objects. */
const HEAD_BYTES = 8 * 1024

/** Bytes of a task's objects at most, but for one that is larger: some seconds of a worker's work in parts. */
const DATA_BYTES = 64 * 1024 ** 3

/** What copy tasks are to be like: how many objects each holds at most, and after how many seconds workers see it. */
type Shape = { most: number; delaySeconds: number }

/** Packs listed objects into copy tasks: full by count, by the size of the message, or by that of the objects. */
export class Packer {
  #objects: Listed[] = []
  #contents = NO_CONTENTS
  /** Bytes of the objects themselves. */
  #size = 0
  #most = 0
  #delaySeconds = 0
  readonly #send: (objects: Listed[], delaySeconds: number) => Promise<void>

  /** @param send sends one task; called in order, one at a time */
  constructor(send: (objects: Listed[], delaySeconds: number) => Promise<void>) {
    this.#send = send
  }

  /** Takes objects in and sends each task that is full, shown after `delaySeconds`. Tasks that begin with one of these hold no more than `most`. */
  async add(objects: readonly Listed[], { most, delaySeconds }: Shape): Promise<void> {
    this.#delaySeconds = delaySeconds
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
      if (this.#objects.length === 0) this.#most = most
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
    await this.#send(objects, Math.floor(this.#delaySeconds))
  }
}
