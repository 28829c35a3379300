import {
  commonPrefix,
  compareKeys,
  KEY_BYTES,
  MAX_CODE_POINT,
  nextCodePoint,
  utf8Length,
} from '../../protocol/key.ts'
import { type Alphabet, END } from './alphabet.ts'

/** A part of the key space of which the lowest page is known. */
export type Stretch = {
  /** First and last key of the known page; the rest begins after the last. */
  first: string
  last: string
  /** Where the stretch ends, inclusive; missing when it goes on to the end of the prefix. */
  upTo?: string | undefined
}

/** A guess of more pages is none: keys are not spread as letters are. */
const TOO_MANY = 20_000

/** How many more pages the stretch holds if keys go on as densely as in its known page, as letters count; undefined when letters tell nothing. */
export function guessPagesLeft(
  { first, last, upTo }: Stretch,
  prefix: string,
  alphabet: Alphabet,
): number | undefined {
  const scale = new Scale(first, upTo, prefix, alphabet)
  const covered = scale.place(last) - scale.place(first)
  const pages = (scale.end - scale.place(last)) / covered
  return covered > 0 && pages <= TOO_MANY ? pages : undefined
}

/** Keys that divide what is left of a stretch evenly, as letters count: in order, and at most so many. */
export function evenCuts(
  { last, upTo }: Stretch,
  most: number,
  prefix: string,
  alphabet: Alphabet,
): string[] {
  const scale = new Scale(last, upTo, prefix, alphabet)
  const from = scale.place(last)
  const gap = (scale.end - from) / (most + 1)
  const keys = Array.from({ length: most }, (_, i) => scale.near(from + gap * (i + 1), gap / 4))
  return [...new Set(keys.filter((key) => isBetween(last, key, upTo)))].sort(compareKeys)
}

/**
 * The keys behind everything that begins like the known page, for each number of letters that the page shares beyond what the
 * ends of the stretch share: in order.
 *
 * Either nothing stands behind such a key, and what is left is known to begin so too, or a part of the stretch does that
 * no arithmetic on letters would find. Searching them finds the folder that all the rest lies in, however deep.
 */
export function endCuts({ first, last, upTo }: Stretch, prefix: string, alphabet: Alphabet): string[] {
  const shared = commonPrefix(first, last)
  const cuts: string[] = []
  const likely: string[] = []
  for (let at = sharedByAll(last, upTo, prefix).length; at < shared.length; ) {
    const code = shared.codePointAt(at) as number
    const next = nextCodePoint(code)
    const behind = next === undefined ? last : shared.slice(0, at) + String.fromCodePoint(next)
    if (isBetween(last, behind, upTo)) {
      cuts.push(behind)
      if (alphabet.following(shared.slice(0, at)).some((letter) => letter > code)) likely.push(behind)
    }
    at += code > 0xffff ? 2 : 1
  }
  return (likely.length > 0 ? likely : cuts).reverse()
}

/** True for a key that may be asked for and that lies between the two ends. */
export function isBetween(after: string, key: string, upTo: string | undefined): boolean {
  return (
    compareKeys(after, key) < 0 &&
    (upTo === undefined || compareKeys(key, upTo) < 0) &&
    utf8Length(key) <= KEY_BYTES
  )
}

/** What every key between the two ends begins with. */
export function sharedByAll(from: string, to: string | undefined, prefix: string): string {
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
    const high = to === undefined ? MAX_CODE_POINT + 1 : (to.codePointAt(this.#skip.length) ?? END)
    const letters = new Set(alphabet.following(this.#skip)).add(low)
    if (high <= MAX_CODE_POINT) letters.add(high)
    if (high - low > WIDE && !alphabet.following(this.#skip).some((code) => low < code && code < high))
      for (const code of scripts(low, high)) letters.add(code)
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

  /** The shortest key about as far as a place. */
  near(place: number, slack: number): string {
    let key = this.#skip
    let value = 0
    let weight = 1
    for (let i = 0; i < LETTERS && weight > SMALLEST && value < place - slack; i++) {
      const letters = this.#letters(key)
      weight /= letters.length
      const rank = Math.min(letters.length - 1, Math.floor((place + slack / 2 - value) / weight))
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

/**
 * Code points between two others, some of each length that UTF-8 writes them in: letters of other scripts may be anywhere. Not
 * NUL, which S3 may refuse to list after.
 */
function scripts(low: number, high: number): number[] {
  const found: number[] = []
  for (const [from, to] of [
    [1, 0x80],
    [0x80, 0x800],
    [0x800, 0xd800],
    [0x10000, MAX_CODE_POINT + 1],
  ] as const)
    for (let i = 0; i < 4; i++) {
      const [start, end] = [Math.max(from, low + 1), Math.min(to, high)]
      if (start < end) found.push(start + Math.floor(((end - start) * i) / 4))
    }
  return found
}

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
