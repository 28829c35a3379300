import { type Listed, objectBytes, TASK_BYTES } from '../../protocol/message.ts'

/** Room in a task's body for all that is not its objects. */
const HEAD_BYTES = 8 * 1024

/** Bytes of a task's objects at most, but for one that is larger: some seconds of a worker's work in parts. */
const CONTENT_BYTES = 64 * 1024 ** 3

/** Objects in a task while the source may be small: all workers shall have some of it. */
const FEW = 50

/**
 * Objects in a copy task: few while the source may be small, so that all workers share it, and as many as the run allows
 * once it has shown to be large, since each task costs its messages.
 *
 * @param lanes that the list task lists side by side
 * @param most as the run says
 */
export function taskSize(lanes: number, most: number): number {
  return lanes > 1 ? most : Math.min(most, FEW)
}

/** Packs listed objects into copy tasks: full by count, by the size of the message, or by that of the objects. */
export class Packer {
  #objects: Listed[] = []
  #bytes = 0
  #content = 0
  /** Objects in a task; what is packed from now on goes by it. */
  most: number
  readonly #send: (objects: Listed[]) => Promise<void>

  /**
   * @param most objects in a task
   * @param send sends one task; called in order, one at a time
   */
  constructor(most: number, send: (objects: Listed[]) => Promise<void>) {
    this.most = most
    this.#send = send
  }

  /** Takes objects in and sends what is full. */
  async add(objects: readonly Listed[]): Promise<void> {
    for (const object of objects) {
      const bytes = objectBytes(object)
      if (
        this.#objects.length >= this.most ||
        this.#bytes + bytes > TASK_BYTES - HEAD_BYTES ||
        this.#content + object.size > CONTENT_BYTES
      )
        await this.flush()
      this.#objects.push(object)
      this.#bytes += bytes
      this.#content += object.size
    }
  }

  /** Sends what is left. */
  async flush(): Promise<void> {
    if (this.#objects.length === 0) return
    const objects = this.#objects
    this.#objects = []
    this.#bytes = 0
    this.#content = 0
    await this.#send(objects)
  }
}
