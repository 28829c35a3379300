/** Concurrent executions that the account allows, shared by all functions. */
export class Slots {
  readonly limit: number
  #used = 0
  #waiting: Array<() => void> = []

  constructor(limit: number) {
    this.limit = limit
  }

  /** Takes a slot if there is one. */
  tryTake(): boolean {
    if (this.#used >= this.limit) return false
    this.#used++
    return true
  }

  give(): void {
    this.#used--
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Waits until some slot is given back. */
  async freed(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
