import { compareKeys, KEY_BYTES, nextCodePoint, utf8Length } from '../../protocol/key.ts'
import { type Alphabet, commonPrefix, END } from './alphabet.ts'

/** A part of the key space of which the lowest page is known. */
export type Stretch = {
  /** First and last key of the known page; the rest begins after the last. */
  first: string
  last: string
  /** Where the stretch ends, inclusive; missing when it goes on to the end of the prefix. */
  upTo?: string | undefined
}

/** How many more pages the stretch holds if keys go on as densely as in its known page, as letters count; Infinity when that can't be told. */
export function guessPagesLeft({ first, last, upTo }: Stretch, prefix: string, alphabet: Alphabet): number {
  const scale = new Scale(first, upTo, prefix, alphabet)
  const covered = scale.place(last) - scale.place(first)
  return covered > 0 ? (scale.end - scale.place(last)) / covered : Number.POSITIVE_INFINITY
}

/** Finds where to cut stretches, by two ways of guessing: it takes the one that has missed less often so far. */
export class Cutter {
  readonly #guesses = [
    { cut: halfway, misses: 0 },
    { cut: behindFolder, misses: 0 },
  ]

  /** A key between the last known key and the end of the stretch; undefined when neither way finds one. */
  cut(stretch: Stretch, prefix: string, alphabet: Alphabet): { cut: string; missed: () => void } | undefined {
    for (const guess of this.#guesses.toSorted((a, b) => a.misses - b.misses)) {
      const cut = guess.cut(stretch, prefix, alphabet)
      if (cut !== undefined) return { cut, missed: () => void guess.misses++ }
    }
    return undefined
  }
}

/** A key half-way, as letters count, through what is left of the stretch; undefined when none is found between its ends. */
function halfway({ last, upTo }: Stretch, prefix: string, alphabet: Alphabet): string | undefined {
  const scale = new Scale(last, upTo, prefix, alphabet)
  const middle = scale.between(scale.place(last), scale.end)
  return isBetween(last, middle, upTo) ? middle : undefined
}

/**
 * A key behind everything that begins like the known page, for some number of letters: half as many as that page shares
 * beyond what the ends of the stretch share. Undefined when those are as many.
 *
 * Either nothing stands behind it, and what is left is known to begin so too, or a part of the stretch does that no
 * arithmetic on letters would find. Bisecting so finds the folder that all the rest lies in within log2(1,024) tries.
 */
function behindFolder({ first, last, upTo }: Stretch, prefix: string): string | undefined {
  const shared = commonPrefix(first, last)
  const cuts: string[] = []
  for (let at = sharedByAll(last, upTo, prefix).length; at < shared.length; ) {
    const code = shared.codePointAt(at) as number
    const next = nextCodePoint(code)
    const behind = next === undefined ? last : shared.slice(0, at) + String.fromCodePoint(next)
    if (isBetween(last, behind, upTo)) cuts.push(behind)
    at += code > 0xffff ? 2 : 1
  }
  return cuts[cuts.length >> 1]
}

/** True for a key that may be asked for and that lies between the two ends. */
function isBetween(after: string, key: string, upTo: string | undefined): boolean {
  return (
    compareKeys(after, key) < 0 &&
    (upTo === undefined || compareKeys(key, upTo) < 0) &&
    utf8Length(key) <= KEY_BYTES
  )
}

/** What every key between the two ends begins with. */
function sharedByAll(from: string, to: string | undefined, prefix: string): string {
  const shared = to === undefined ? '' : commonPrefix(from, to)
  return shared.length < prefix.length && from.startsWith(prefix) ? prefix : shared
}

/** Maps the keys between two ends to numbers from 0 to 1, as fractions written in the letters that may follow one another. */
class Scale {
  readonly end: number
  readonly #skip: string
  readonly #alphabet: Alphabet
  readonly #firstLetters: readonly number[]

  constructor(from: string, to: string | undefined, prefix: string, alphabet: Alphabet) {
    this.#skip = sharedByAll(from, to, prefix)
    this.#alphabet = alphabet
    const low = from.codePointAt(this.#skip.length) ?? END
    const high = to === undefined ? LAST + 1 : (to.codePointAt(this.#skip.length) ?? END)
    const letters = new Set(alphabet.following(this.#skip)).add(low)
    if (high <= LAST) letters.add(high)
    const middle = (low + high) >> 1
    if (
      high - low > WIDE &&
      !alphabet.following(this.#skip).some((code) => low < code && code < high) &&
      String.fromCodePoint(middle).isWellFormed()
    )
      letters.add(middle)
    this.#firstLetters = [...letters].sort((a, b) => a - b)
    this.end = to === undefined ? 1 : this.place(to)
  }

  place(key: string): number {
    let value = 0
    let weight = 1
    let at = this.#skip.length
    while (weight > SMALLEST) {
      const letters = this.#letters(key.slice(0, at))
      const code = key.codePointAt(at) ?? END
      const rank = lowerBound(letters, code)
      weight /= letters.length
      value += weight * rank
      if (code === END || letters[rank] !== code) break
      at += code > 0xffff ? 2 : 1
    }
    return value
  }

  /** The shortest key near the middle of two places. */
  between(from: number, to: number): string {
    const middle = (from + to) / 2
    const slack = (to - from) / 8
    let key = this.#skip
    let value = 0
    let weight = 1
    for (let i = 0; i < LETTERS && weight > SMALLEST && value < middle - slack; i++) {
      const letters = this.#letters(key)
      weight /= letters.length
      const rank = Math.min(letters.length - 1, Math.floor((middle + slack / 2 - value) / weight))
      const code = letters[rank] as number
      if (code === END) break
      value += weight * rank
      key += String.fromCodePoint(code)
    }
    return key
  }

  #letters(start: string): readonly number[] {
    return start.length === this.#skip.length ? this.#firstLetters : this.#alphabet.following(start)
  }
}

/** The last code point. */
const LAST = 0x10ffff
/** Code points that an alphabet's neighbours lie apart at most; what is wider may hold letters of another script. */
const WIDE = 128

/** Letters that tell a cut from its neighbours at most: some letters have one follower only, and say nothing. */
const LETTERS = 64
/** What a number from 0 to 1 still tells apart, with some bits left for rounding. */
const SMALLEST = 2 ** -46

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
