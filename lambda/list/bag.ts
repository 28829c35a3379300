/** Holds items, and gives them out by chance: each of those in it, or of the newest, is as likely to be next. */
export class Bag<T> {
  readonly #items: T[] = []
  /** Where those that were put in last begin. */
  #newest = 0
  readonly #random: () => number

  /** @param random from 0 to 1, exclusive */
  constructor(random: () => number) {
    this.#random = random
  }

  get size(): number {
    return this.#items.length
  }

  put(items: readonly T[]): void {
    this.#newest = this.#items.length
    for (const item of items) this.#items.push(item)
  }

  /** Takes so many out, or all that are left. */
  draw(count: number): T[] {
    return this.#drawFrom(0, count)
  }

  /** The same of those that were put in last. To be called before any others are drawn. */
  drawNewest(count: number): T[] {
    return this.#drawFrom(this.#newest, count)
  }

  #drawFrom(start: number, count: number): T[] {
    const items = this.#items
    return Array.from({ length: Math.max(0, Math.min(count, items.length - start)) }, () => {
      const index = start + Math.floor(this.#random() * (items.length - start))
      const drawn = items[index] as T
      items[index] = items.at(-1) as T
      items.pop()
      return drawn
    })
  }
}
