import { ABOVE } from '../../protocol/key.ts'
import type { Range } from '../../protocol/range.ts'
import type { Alphabet } from './alphabet.ts'
import { guessPagesLeft, isBetween } from './guess.ts'
import type { Empty, Found } from './reader.ts'

/** A range that is walked. */
export type Lane = Range & {
  /** Where its next page begins (S3's continuation token); missing where that is the key after `after`. */
  token?: string | undefined
  /** Whether that is behind pages without keys, so that it tells more than `after`. */
  isBehindEmpty?: boolean
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

/** Taken for the pages of a lane of which nothing is known, */
const UNKNOWN = 1000
/** and of one that lies in some folders of which nothing else is. */
const UNKNOWN_FOLDERS = 125

export function newLane({ after, upTo, token }: Range): Lane {
  return { after, upTo, token, isBehindEmpty: token !== undefined, pages: 0, due: 0, clues: {} }
}

/** A lane as others take it over. */
export function rangeOf({ after, upTo, token, isBehindEmpty }: Lane): Range {
  return { after, upTo, ...(isBehindEmpty && { token }) }
}

/** What is left behind a page of a new lane. */
export function laneBehind({ first, last, token }: Found, upTo: string | undefined, clues: Clues): Known {
  return { after: last, upTo, token, pages: 0, due: 0, page: { first, last }, clues }
}

/** A lane behind the next page of it, or behind pages without keys. */
export function advanced(lane: Lane, page: Found | Empty): Lane {
  const { token } = page
  if (page.isEmpty) return { ...lane, token, isBehindEmpty: true }
  const { first, last } = page
  return {
    ...lane,
    after: last,
    token,
    isBehindEmpty: false,
    pages: lane.pages + 1,
    due: lane.due - 1,
    page: { first, last },
  }
}

export function isKnown(lane: Lane): lane is Known {
  return lane.page !== undefined
}

/** Pages left in a lane, as far as letters tell; undefined when they tell nothing. */
export function pagesLeft(lane: Lane, prefix: string, alphabet: Alphabet): number | undefined {
  if (!isKnown(lane)) return undefined
  const { pages, page } = lane
  const guess = guessPagesLeft({ ...page, upTo: likelyEnd(lane) }, prefix, alphabet)
  // What has lasted so long is likely to last as long again.
  return guess === undefined ? undefined : Math.max(pages, guess)
}

/** The same for all lanes, so that they can be compared. */
export function likelyPagesLeft(lane: Lane, prefix: string, alphabet: Alphabet): number {
  const { pages, clues } = lane
  const unknown = clues.folders && clues.folder !== clues.crowd ? UNKNOWN_FOLDERS : UNKNOWN
  return pagesLeft(lane, prefix, alphabet) ?? unknown + pages
}

/** Where a lane is likely to end: behind what S3 has named of it, or else where it may. */
export function likelyEnd(lane: Known): string | undefined {
  const { upTo, clues, page } = lane
  const { folder, folders, crowd } = clues
  // A lane that was cut at a folder holds those before it in the same folder.
  const above = upTo?.endsWith('/') ? parentOf(upTo) : folder !== crowd ? folder : undefined
  if (above === undefined || !page.last.startsWith(above)) return upTo
  return endOf(folders?.at(-1) ?? folderIn(above, page.last), lane) ?? upTo
}

/** The end of the folder that keys crowd, when the lane is in it and goes on behind. */
export function crowdEnd(lane: Known): string | undefined {
  const { crowd, isOfKeys } = lane.clues
  return crowd !== undefined && isOfKeys && lane.page.last.startsWith(crowd) ? endOf(crowd, lane) : undefined
}

/** The end of a folder that ends within the lane; not of a lane that may go on to the end of all keys. */
function endOf(folder: string | undefined, { page, upTo }: Known): string | undefined {
  if (!folder || upTo === undefined) return undefined
  return isBetween(page.last, folder + ABOVE, upTo) ? folder + ABOVE : undefined
}

/** The folder in a folder that a key lies in; undefined when it lies in the folder itself. */
export function folderIn(folder: string, key: string): string | undefined {
  const slash = key.indexOf('/', folder.length)
  return slash < 0 ? undefined : key.slice(0, slash + 1)
}

function parentOf(folder: string): string {
  return folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1)
}
