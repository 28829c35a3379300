/** Holds items, and gives them out by chance: each of those in it is as likely to be next. */
export class Bag<T> {
  readonly #items: T[] = []
  readonly #random: () => number

  /** @param random from 0 to 1, exclusive */
  constructor(random: () => number) {
    this.#random = random
  }

  get size(): number {
    return this.#items.length
  }

  put(items: readonly T[]): void {
    for (const item of items) this.#items.push(item)
  }

  /** Takes so many out, or all that are left. */
  draw(count: number): T[] {
    const items = this.#items
    return Array.from({ length: Math.min(count, items.length) }, () => {
      const index = Math.floor(this.#random() * items.length)
      const drawn = items[index] as T
      items[index] = items.at(-1) as T
      items.pop()
      return drawn
    })
  }
}
