import { compareKeys } from '../../protocol/key.ts'
import { isEmpty, type Range } from '../../protocol/range.ts'
import { Alphabet } from './alphabet.ts'
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
  /**
   * Takes listed objects: one page's, in order, and none twice; one call at a time. Pages do not come in order.
   */
  emit: (objects: T[]) => Promise<void>
  /** Hands a range that is not empty to another task. */
  spawn: (range: Range) => Promise<void>
  /** True when the rest has to be handed on. */
  isLate: () => boolean
}

export type WalkResult = {
  /** List requests. */
  requests: number
  /** Objects emitted. */
  listed: number
  /** Ranges handed to other tasks. */
  spawned: number
}

/** Pages after which a walk that goes on looks for cuts, and again whenever they have doubled. */
const FIRST_LOOK_PAGES = 12
/** Pages that are worth a task of their own: between one and two seconds of listing. */
const TASK_PAGES = 16
/** Cuts made at one look at most. */
const CUTS = 15
/** Requests that the search for cuts may waste, for each page listed. */
const MISSES_PER_PAGE = 1 / 16

/** What one look for cuts may still make and waste. */
type Budget = { cuts: number; misses: number }

/**
 * Lists a range: page after page from its lower end. When many keys seem to be left it cuts them up, hands the upper
 * parts to other tasks and goes on with the lowest.
 *
 * Where to cut is guessed, and tried with a request for the page behind the guess. That page is emitted here, so it is
 * not wasted. When more follows it, that is handed on; when it is the range's last, or empty, the range is known to end
 * before it. So pages and parts tile the range whatever the guesses, and a key that exists throughout is listed once,
 * whatever else comes and goes. Guesses that find nothing are kept few: {@link MISSES_PER_PAGE}.
 *
 * Throws what `page`, `emit` and `spawn` throw, after all that was under way has ended.
 */
export async function walk<T extends { key: string }>(range: Range, deps: WalkDeps<T>): Promise<WalkResult> {
  const { prefix } = deps
  const result: WalkResult = { requests: 0, listed: 0, spawned: 0 }
  if (isEmpty(range)) return result
  const alphabet = new Alphabet()
  const cutter = new Cutter()
  let emitting = Promise.resolve()

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
        emitting = emitting.then(() => deps.emit(objects))
        await emitting
        return { first, last, token, more }
      }
      if (!more) return undefined
    }
  }

  const spawn = async (child: Range) => {
    result.spawned++
    await deps.spawn(child)
  }

  /** Cuts what is left of a stretch up; returns the parts in order, the lowest first. */
  const divide = async (stretch: Stretch, budget: Budget, leastPages = 0): Promise<Stretch[]> => {
    let { upTo } = stretch
    while (budget.cuts > 0 && budget.misses > 0) {
      const rest = { ...stretch, upTo }
      const pages = Math.max(leastPages, guessPagesLeft(rest, prefix, alphabet))
      const found = pages < 2 * TASK_PAGES ? undefined : cutter.cut(rest, prefix, alphabet)
      if (!found) break
      const page = await fetch({ startAfter: found.cut }, upTo)
      if (page?.more) {
        budget.cuts--
        return await inOrder(
          divide({ ...stretch, upTo: found.cut }, budget, leastPages / 2),
          divide({ ...page, upTo }, budget),
        )
      }
      found.missed()
      budget.misses--
      upTo = found.cut
    }
    return [{ ...stretch, upTo }]
  }

  let { after, upTo } = range
  let token: string | undefined
  let look = FIRST_LOOK_PAGES
  for (let pages = 1; ; pages++) {
    const page = await fetch({ startAfter: after, token }, upTo)
    if (!page?.more) return result
    after = page.last
    token = page.token
    if (deps.isLate()) {
      await spawn({ after, upTo })
      return result
    }
    if (pages < look) continue
    look *= 2
    const budget = { cuts: CUTS, misses: pages * MISSES_PER_PAGE }
    // What has lasted so long is likely to last as long again, whatever the letters say.
    const [own, ...others] = await divide({ ...page, upTo }, budget, pages)
    upTo = own?.upTo
    for (const other of others) await spawn({ after: other.last, upTo: other.upTo })
  }
}

/** Both lists, one after the other. Throws only when both have ended, so that nothing goes on behind the caller's back. */
async function inOrder<T>(...lists: [Promise<T[]>, Promise<T[]>]): Promise<T[]> {
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
