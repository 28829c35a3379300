/** Lets `most` through at once; the others wait in line. Makes no promise where nobody has to wait, which counts when millions pass. */
export class Slots {
  #free: number
  readonly #line: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  /** Takes a slot: at once, or when the promise is kept. */
  take(): Promise<void> | undefined {
    if (this.#free === 0) return new Promise((resolve) => this.#line.push(resolve))
    this.#free--
    return undefined
  }

  /** Holds a slot while `work` is under way. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    await this.take()
    try {
      return await work()
    } finally {
      this.give()
    }
  }

  /** Gives a slot back, which goes to the first in line. */
  give(): void {
    const next = this.#line.shift()
    if (next) next()
    else this.#free++
  }
}
