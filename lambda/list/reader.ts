import { compareKeys } from '../../protocol/key.ts'
import type { Range } from '../../protocol/range.ts'
import { Alphabet } from './alphabet.ts'

/** One answer to a list request. */
export type Page<T> = {
  /** In S3's order; may be fewer than asked for, even none, with more to come. */
  objects: T[]
  /** Where to go on (S3's continuation token); missing on the last page. */
  token?: string | undefined
}

/** Folders in a folder, in order, each with the slash at its end. */
export type Folders = {
  folders: string[]
  /** Whether keys follow that lie in the folder itself. */
  hasKeys: boolean
  /** The last key or folder of the answer when more follow. */
  end?: string | undefined
}

export type Source<T> = {
  /** Asks for a page of full size: what follows `token`, or else the keys after `startAfter`. */
  page: (request: { startAfter?: string | undefined; token?: string | undefined }) => Promise<Page<T>>
  /** Asks for the folders that a folder has, and that keys after `startAfter` lie in; at most a page of them. */
  folders: (folder: string, startAfter: string) => Promise<Folders>
}

/** The ends of a page that holds keys, and whether others may follow in its range. */
export type Found = {
  isEmpty: false
  first: string
  last: string
  token: string | undefined
  more: boolean
}
/** Pages without keys though others may follow, when there was no time for more of them. */
export type Empty = { isEmpty: true; token: string; more: true }

/** What a page holds of the range that is read, in order, and the range in which these are all. */
export type Read<T> = { objects: T[]; range: Range }

/** Keys in a page of full size (S3 API reference, ListObjectsV2). */
export const PAGE_KEYS = 1000
/** The share of requests that may be wasted on wrong guesses, beyond what may be from the start: more in a large listing. */
const [WASTE, WASTE_OF_LARGE] = [1 / 28, 1 / 8]
/** What a guess is taken to waste at least, however many found keys so far: those to come may be less lucky. */
const LEAST_WASTE = 0.4
/** The last requests that may be wasted are spent as if no guess found keys: bad luck would leave none for long. */
const KEPT = 4

/** Reads the source for a walk, keeps what was read until it is taken, and learns from it. */
export class Reader<T extends { key: string }> {
  readonly alphabet = new Alphabet()
  requests = 0
  /** Objects read. */
  listed = 0
  #spare: number
  #hits = 1
  #tries = 1
  #pages: Read<T>[] = []
  readonly #source: Source<T>
  readonly #isLarge: () => boolean
  readonly #isLate: () => boolean

  /**
   * @param spare requests that may be wasted from the start
   * @param isLarge whether the listing is known to be of many keys, so that time is worth more than requests
   * @param isLate whether the rest has to be handed on
   */
  constructor(source: Source<T>, spare: number, isLarge: () => boolean, isLate: () => boolean) {
    this.#source = source
    this.#spare = spare
    this.#isLarge = isLarge
    this.#isLate = isLate
  }

  /** Requests that may be wasted by now, on guesses where keys lie. */
  get spare(): number {
    return Math.floor(this.#spare)
  }

  /** Guesses that may be made by now: the more of those before found keys, the more. */
  get guesses(): number {
    const { spare } = this
    const waste = Math.min(1, LEAST_WASTE + 1 - this.luck)
    return Math.min(spare, KEPT) + Math.floor(Math.max(0, spare - KEPT) / waste)
  }

  /** Allows for wasting so many requests now, however many were wasted. */
  allow(requests: number): void {
    this.#spare = Math.max(this.#spare, requests)
  }

  /** The share of guesses that found keys. */
  get luck(): number {
    return this.#hits / this.#tries
  }

  /** Takes note of guesses, and how many of them found keys. */
  learn(hits: number, tries: number): void {
    this.#hits += hits
    this.#tries += tries
  }

  /**
   * The next page that holds keys, without those behind `upTo`; undefined when none are left. Where many objects were deleted, S3
   * may answer many pages without keys first.
   */
  async read(
    request: Parameters<Source<T>['page']>[0],
    upTo: string | undefined,
  ): Promise<Found | Empty | undefined> {
    let { token } = request
    for (;;) {
      const page = await this.#source.page({ ...request, token })
      this.#count()
      token = page.token
      const count = upTo === undefined ? page.objects.length : countUpTo(page.objects, upTo)
      const objects = page.objects.slice(0, count)
      const [first, last] = [objects[0]?.key, objects.at(-1)?.key]
      const more =
        token !== undefined && count === page.objects.length && (last === undefined || last !== upTo)
      if (!more) this.#spare -= 1 - count / PAGE_KEYS
      if (first !== undefined && last !== undefined) {
        this.alphabet.learn(objects)
        this.listed += count
        this.#pages.push({ objects, range: { after: request.startAfter, upTo: last } })
        return { isEmpty: false, first, last, token, more }
      }
      if (!more || token === undefined) return undefined
      if (this.#isLate()) return { isEmpty: true, token, more: true }
    }
  }

  /** See {@link Source}. */
  async folders(folder: string, startAfter: string): Promise<Folders> {
    this.#count()
    this.#spare--
    return await this.#source.folders(folder, startAfter)
  }

  /** The pages read since they were last taken: none empty. */
  take(): Read<T>[] {
    const pages = this.#pages
    this.#pages = []
    return pages
  }

  #count(): void {
    this.requests++
    this.#spare += this.#isLarge() ? WASTE_OF_LARGE : WASTE
  }
}

/** What all of them come to. Throws only when all have ended, so that nothing goes on behind the caller's back. */
export async function all<T>(work: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return await Promise.all(work)
}

/** How many of the objects, which are in order, lie in a range that ends with `upTo`. */
function countUpTo(objects: readonly { key: string }[], upTo: string): number {
  let low = 0
  let high = objects.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys((objects[middle] as { key: string }).key, upTo) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
