import { compareKeys } from '../../protocol/key.ts'
import { isEmpty, type Range } from '../../protocol/range.ts'
import { Alphabet } from './alphabet.ts'
import { deal } from './deal.ts'
import { Cutter, guessPagesLeft, type Stretch } from './split.ts'

/** One answer to a list request. */
export type Page<T> = {
  /** In S3's order; may be fewer than asked for, even none, with more to come. */
  objects: T[]
  /** Where to go on (S3's continuation token); missing on the last page. */
  token?: string | undefined
}

export type WalkDeps<T extends { key: string }> = {
  /** What all the keys listed begin with. */
  prefix: string
  /** Asks for a page of full size: what follows `token`, or else the keys after `startAfter`. */
  page: (request: { startAfter?: string | undefined; token?: string | undefined }) => Promise<Page<T>>
  /** Takes the pages of a round: none empty, each in order, no object twice. One call at a time. */
  emit: (pages: T[][]) => Promise<void>
  /** Hands ranges that are not empty to other tasks: for each task some, in order. */
  spawn: (hands: Range[][]) => Promise<void>
  /** True when the rest has to be handed on. */
  isLate: () => boolean
}

export type WalkResult = {
  /** List requests. */
  requests: number
  /** Objects emitted. */
  listed: number
  /** Tasks that ranges were handed to. */
  spawned: number
}

/** A range that is walked, and how many pages of it were. */
type Lane = Range & { token?: string | undefined; pages: number }

/** The same behind a page that was listed. */
type Known = Stretch & { token?: string | undefined; pages: number }

/** Ranges that one task walks side by side: several pages come while one would, and the copy tasks made of them mix keys from afar. */
export const LANES = 8
/** Rounds after which a walk that goes on looks for cuts, and again whenever they have doubled. */
const FIRST_LOOK = 12
/** Pages that are worth a lane of their own: about two seconds of listing. */
const LANE_PAGES = 24
/** Cuts made at one look at most. */
const CUTS = 15
/** What one look for cuts may still make and waste. */
type Budget = { cuts: number; misses: number }

/**
 * Lists ranges side by side, in rounds of a page of each. When many keys seem to be left it cuts the ranges up and deals
 * the parts to other tasks and itself, so that each has parts from all over.
 *
 * Where to cut is guessed, and tried with a request for the page behind the guess. That page is emitted here, so it is
 * not wasted. When more follows it, that is handed on; when it is the range's last, or empty, the range is known to end
 * before it. So pages and parts tile the ranges whatever the guesses, and a key that exists throughout is listed once,
 * whatever else comes and goes. Guesses that find nothing are kept few: {@link mayMiss}.
 *
 * Throws what `page`, `emit` and `spawn` throw, after all that was under way has ended.
 *
 * @param ranges apart from each other, and in order
 */
export async function walk<T extends { key: string }>(
  ranges: readonly Range[],
  deps: WalkDeps<T>,
): Promise<WalkResult> {
  const { prefix } = deps
  const result: WalkResult = { requests: 0, listed: 0, spawned: 0 }
  const alphabet = new Alphabet()
  const cutter = new Cutter()
  let round: T[][] = []

  /** The next page that holds keys, without those behind `upTo`; `more` when others may follow in the range. */
  const fetch = async (request: Parameters<typeof deps.page>[0], upTo: string | undefined) => {
    let { token } = request
    for (;;) {
      const page = await deps.page({ ...request, token })
      result.requests++
      token = page.token
      const count = upTo === undefined ? page.objects.length : countUpTo(page.objects, upTo)
      const objects = page.objects.slice(0, count)
      const [first, last] = [objects[0]?.key, objects.at(-1)?.key]
      const more =
        token !== undefined && count === page.objects.length && (last === undefined || last !== upTo)
      if (first !== undefined && last !== undefined) {
        alphabet.learn(objects)
        result.listed += count
        round.push(objects)
        return { first, last, token, more }
      }
      if (!more) return undefined
    }
  }

  /** What all of them come to, with the pages that they list emitted: also when one of them fails. */
  const inRound = async (work: Promise<Known[]>[]): Promise<Known[]> => {
    try {
      return await inOrder(work)
    } finally {
      const pages = round
      round = []
      if (pages.length > 0) await deps.emit(pages)
    }
  }

  const spawn = async (hands: Lane[][]) => {
    if (hands.length === 0) return
    result.spawned += hands.length
    await deps.spawn(hands.map((lanes) => lanes.map(({ after, upTo }) => ({ after, upTo }))))
  }

  /** Lists a page of a lane: none or one that goes on. */
  const advance = async ({ after, upTo, token, pages }: Lane): Promise<Known[]> => {
    const page = await fetch({ startAfter: after, token }, upTo)
    return page?.more ? [{ ...page, upTo, pages: pages + 1 }] : []
  }

  /** Cuts what is left of a stretch up; returns the parts in order, the lowest first. */
  const divide = async (stretch: Known, budget: Budget, leastPages: number): Promise<Known[]> => {
    let { upTo } = stretch
    while (budget.cuts > 0 && budget.misses > 0) {
      const rest = { ...stretch, upTo }
      const pages = Math.max(leastPages, guessPagesLeft(rest, prefix, alphabet))
      const found = pages < 2 * LANE_PAGES ? undefined : cutter.cut(rest, prefix, alphabet)
      if (!found) break
      const page = await fetch({ startAfter: found.cut }, upTo)
      if (page?.more) {
        budget.cuts--
        return await inOrder([
          divide({ ...stretch, upTo: found.cut }, budget, leastPages / 2),
          divide({ ...page, upTo, pages: 0 }, budget, 0),
        ])
      }
      found.missed()
      budget.misses--
      upTo = found.cut
    }
    return [{ ...stretch, upTo }]
  }

  let lanes: Lane[] = ranges.filter((range) => !isEmpty(range)).map((range) => ({ ...range, pages: 0 }))
  let look = FIRST_LOOK
  let pages = 0
  for (let rounds = 1; lanes.length > 0; rounds++) {
    pages += lanes.length
    const known = await inRound(lanes.map(advance))
    if (deps.isLate()) {
      if (known.length > 0) await spawn([known.map(behind)])
      return result
    }
    lanes = known.map(behind)
    if (rounds < look) continue
    look *= 2
    const budget = { cuts: CUTS, misses: mayMiss(pages) }
    // What has lasted so long is likely to last as long again, whatever the letters say.
    const parts = await inRound(known.map((lane) => divide(lane, budget, lane.pages)))
    const [own = [], ...others] = deal(parts.map(behind), LANES)
    lanes = own
    await spawn(others)
  }
  return result
}

/**
 * Requests that one look for cuts may waste, after so many pages: at first one, then some, for where all keys lie in one deep
 * folder it takes a few to find that out, and few beside what is listed when that has become much.
 */
function mayMiss(pages: number): number {
  return pages < 24 ? 1 : 3 + Math.floor(pages / 48)
}

function behind({ last, upTo, token, pages }: Known): Lane {
  return { after: last, upTo, token, pages }
}

/** All the lists, one after the other. Throws only when all have ended, so that nothing goes on behind the caller's back. */
async function inOrder<T>(lists: Promise<T[]>[]): Promise<T[]> {
  await Promise.allSettled(lists)
  return (await Promise.all(lists)).flat()
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
