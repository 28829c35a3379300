import { commonPrefix } from '../../protocol/key.ts'

/** Stands for the end of a key, where a letter might follow. Sorts before all letters. */
export const END = -1

const SLASH = 47
/** Of the keys of a page, every so many is enough to learn from; no divisor of the number of files that folders may have in common. */
const LEARN_EVERY = 7
/** What follows a letter is known when that has been seen so many times as often as there are followers. */
const TRUSTED = 4

/** The letters (code points) that keys are made of, and which of them follow which, as far as has been seen. */
export class Alphabet {
  readonly #all = new Followers()
  readonly #after = new Map<string, Followers>()
  /** Letters of names, and those that they begin with, by how deep a folder the names are in: in `uploads/` others than in its folders. */
  readonly #names = new Map<number, Followers>()
  readonly #first = new Map<number, Followers>()
  /** Where names of folders and of keys have been seen to end: in so many folders, behind so many UTF-16 units. */
  readonly #ends = new Set<string>()

  /**
   * Learns from a page's keys, which are in order. What they all begin with says nothing of how keys vary, and the next
   * letter runs through a few neighbours only, so what may follow is learnt from the letters behind that.
   */
  learn(objects: readonly { key: string }[]): void {
    const skip = commonPrefix(objects[0]?.key ?? '', objects.at(-1)?.key ?? '')
    for (let i = 0; i < objects.length; i += LEARN_EVERY) {
      const { key } = objects[i] as { key: string }
      this.#learnEnds(key)
      const { last, depth } = this.#learnLetters(key, skip)
      this.#add(last, END, depth)
    }
  }

  /**
   * Learns from names of folders, which are in order and end with a slash, if most of their letters are new: a page of them comes
   * from far more of the source than one of keys does. Of letters that are known, keys tell better which may follow.
   */
  learnFolders(folders: readonly string[]): void {
    const letters = [...new Set(folders.join(''))]
    const known = letters.filter((letter) => this.#all.has(letter.codePointAt(0) as number))
    if (known.length >= letters.length / 2) return
    const skip = commonPrefix(folders[0] ?? '', folders.at(-1) ?? '')
    for (const folder of folders) {
      this.#learnEnds(folder.slice(0, -1), SLASH)
      this.#learnLetters(folder, skip)
    }
  }

  /**
   * Letters that may follow what a key begins with, in order, {@link END} among them when it may end there. A slash or the end
   * only where names of that depth have ended so: in `tenant-00042/` no slash follows before the last digit.
   */
  following(start: string): readonly number[] {
    const depth = depthOf(start)
    const length = start.length - (start.lastIndexOf('/') + 1)
    const mayEnd = this.#ends.has(endOf(END, depth, length))
    const maySlash = this.#ends.has(endOf(SLASH, depth, length))
    const followers =
      length === 0
        ? (this.#first.get(depth) ?? this.#names.get(depth))
        : this.#after.get(Array.from(start.slice(-2)).at(-1) as string)
    const likely = followers?.trusted ? followers.sorted(mayEnd, maySlash) : []
    if (likely.length > 0) return likely
    const possible = this.#all.sorted(mayEnd, maySlash)
    return possible.length > 0 ? possible : this.#all.sorted(true, true)
  }

  /** Learns where names end in a key, or in a folder without its slash; `last` is what follows the last of them. */
  #learnEnds(key: string, last = END): void {
    const names = key.split('/')
    for (const [depth, { length }] of names.entries())
      this.#ends.add(endOf(depth < names.length - 1 ? SLASH : last, depth, length))
  }

  /** Learns what follows what in a key, behind what it shares with others. Returns the last letter, and how deep that is. */
  #learnLetters(key: string, skip: string): { last: string | undefined; depth: number } {
    let last: string | undefined
    let depth = depthOf(skip)
    for (const letter of key.slice(skip.length)) {
      this.#add(last, letter.codePointAt(0) as number, depth)
      if (letter === '/') depth++
      last = letter
    }
    return { last, depth }
  }

  #add(context: string | undefined, code: number, depth: number): void {
    this.#all.add(code)
    addTo(this.#names, depth, code)
    if (context === '/') addTo(this.#first, depth, code)
    else if (context !== undefined) addTo(this.#after, context, code)
  }
}

class Followers {
  readonly #codes = new Set<number>()
  #seen = 0
  readonly #sorted = new Map<string, readonly number[]>()

  add(code: number): void {
    this.#seen++
    if (this.#codes.has(code)) return
    this.#codes.add(code)
    this.#sorted.clear()
  }

  has(code: number): boolean {
    return this.#codes.has(code)
  }

  get trusted(): boolean {
    return this.#seen >= TRUSTED * this.#codes.size
  }

  /** In order; without the end and the slash where these can't be. */
  sorted(mayEnd: boolean, maySlash: boolean): readonly number[] {
    const which = `${mayEnd} ${maySlash}`
    const known = this.#sorted.get(which)
    if (known) return known
    const codes = [...this.#codes].filter((code) => (code === END ? mayEnd : code !== SLASH || maySlash))
    const sorted = codes.sort((a, b) => a - b)
    this.#sorted.set(which, sorted)
    return sorted
  }
}

function addTo<K>(map: Map<K, Followers>, key: K, code: number): void {
  let followers = map.get(key)
  if (!followers) {
    followers = new Followers()
    map.set(key, followers)
  }
  followers.add(code)
}

/** Folders that a key, or what it begins with, lies in. */
function depthOf(start: string): number {
  return start.split('/').length - 1
}

/** Where a name ends, and with which code: the depth of its folder, and its length in UTF-16 units. */
function endOf(code: number, depth: number, length: number): string {
  return `${code} ${depth} ${length}`
}
