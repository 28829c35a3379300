import { type Listed, objectBytes, TASK_BYTES } from '../../protocol/message.ts'

/** Room in a task's body for all that is not its objects. */
const HEAD_BYTES = 8 * 1024

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
      this.#objects.push({ key: object.key, size: object.size })
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
