import type { Range } from '../../protocol/range.ts'
import type { Alphabet } from './alphabet.ts'
import type { Found } from './reader.ts'
import { guessPagesLeft } from './split.ts'

/** A range that is walked. */
export type Lane = Range & {
  /** Where its next page begins (S3's continuation token); missing where that is the key after `after`. */
  token?: string | undefined
  /** How long it has lasted: pages of it that were listed, and half of those from before a part was cut off. */
  pages: number
  /** The turns it has had beyond those it took: shorter lanes have less than one in each round. */
  due: number
  /** First and last key of the page listed last; missing before the first. */
  page?: { first: string; last: string } | undefined
  clues: Clues
}

/** What was found out while cuts were looked for, of where the keys of a lane lie. */
export type Clues = {
  /** The folder that was asked for its folders last. */
  folder?: string | undefined
  /** Those of its folders that lie in the lane, beyond the one that it has reached. */
  folders?: string[] | undefined
  /** A folder that holds more folders and keys than S3 names at once. */
  crowd?: string | undefined
  /** Whether keys of its own crowd that folder, so that folders may come behind them. */
  isOfKeys?: boolean | undefined
  /** Keys behind everything that begins like a known page: still to be tried. */
  ends?: string[] | undefined
}

/** A lane of which a page is known. */
export type Known = Lane & { page: { first: string; last: string } }

/** A guess of more pages is none: keys are not spread as letters are. */
const TOO_MANY = 20_000
/** Taken for the pages of a lane of which nothing is known, */
const UNKNOWN = 1000
/** and of one that lies in some folders of which nothing else is. */
const UNKNOWN_FOLDERS = 125

export function newLane({ after, upTo }: Range): Lane {
  return { after, upTo, pages: 0, due: 0, clues: {} }
}

/** What is left behind a page of a new lane. */
export function laneBehind({ first, last, token }: Found, upTo: string | undefined, clues: Clues): Known {
  return { after: last, upTo, token, pages: 0, due: 0, page: { first, last }, clues }
}

export function isKnown(lane: Lane): lane is Known {
  return lane.page !== undefined
}

/** Pages left in a lane, as far as letters tell; undefined when they tell nothing. */
export function pagesLeft(lane: Lane, prefix: string, alphabet: Alphabet): number | undefined {
  if (!isKnown(lane)) return undefined
  const { pages, page, upTo } = lane
  const guess = guessPagesLeft({ ...page, upTo }, prefix, alphabet)
  // What has lasted so long is likely to last as long again.
  return guess > TOO_MANY ? undefined : Math.max(pages, guess)
}

/** The same for all lanes, so that they can be compared. */
export function likelyPagesLeft(lane: Lane, prefix: string, alphabet: Alphabet): number {
  const { pages, clues } = lane
  const unknown = clues.folders && clues.crowd === undefined ? UNKNOWN_FOLDERS : UNKNOWN
  return pagesLeft(lane, prefix, alphabet) ?? unknown + pages
}
