import { commonPrefix } from '../../protocol/key.ts'

/** Stands for the end of a key, where a letter might follow. Sorts before all letters. */
export const END = -1

/** Of the keys of a page, every so many is enough to learn from. */
const LEARN_EVERY = 8
/** What follows a letter is known when that has been seen so many times as often as there are followers. */
const TRUSTED = 4

/** The letters (code points) that keys are made of, and which of them follow which, as far as has been seen. */
export class Alphabet {
  readonly #all = new Followers()
  readonly #after = new Map<string, Followers>()

  /**
   * Learns from a page's keys, which are in order. What they all begin with says nothing of how keys vary, and the next
   * letter runs through a few neighbours only, so what may follow is learnt from the letters behind that.
   */
  learn(objects: readonly { key: string }[]): void {
    const skip = commonPrefix(objects[0]?.key ?? '', objects.at(-1)?.key ?? '')
    for (let i = 0; i < objects.length; i += LEARN_EVERY) {
      let context: string | undefined
      for (const letter of (objects[i] as { key: string }).key.slice(skip.length)) {
        this.#add(context, letter.codePointAt(0) as number)
        context = letter
      }
      this.#add(context, END)
    }
  }

  /** Letters that may follow what a key begins with, in order, {@link END} among them when it may end there. */
  following(start: string): readonly number[] {
    const followers = this.#after.get(Array.from(start.slice(-2)).at(-1) ?? '')
    return followers?.trusted ? followers.sorted : this.#all.sorted
  }

  #add(context: string | undefined, code: number): void {
    this.#all.add(code)
    if (context === undefined) return
    let followers = this.#after.get(context)
    if (!followers) {
      followers = new Followers()
      this.#after.set(context, followers)
    }
    followers.add(code)
  }
}

class Followers {
  readonly #codes = new Set<number>()
  #seen = 0
  #sorted: readonly number[] = []

  add(code: number): void {
    this.#seen++
    this.#codes.add(code)
  }

  get trusted(): boolean {
    return this.#seen >= TRUSTED * this.#codes.size
  }

  get sorted(): readonly number[] {
    if (this.#sorted.length !== this.#codes.size) this.#sorted = [...this.#codes].sort((a, b) => a - b)
    return this.#sorted
  }
}
