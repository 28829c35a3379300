import { isEmpty, type Range } from '../../protocol/range.ts'
import { deal } from './deal.ts'
import { divideAll } from './divide.ts'
import { Emitter } from './emitter.ts'
import { advanced, type Lane, newLane, pagesLeft, rangeOf } from './lane.ts'
import { all, type Read, Reader, type Source } from './reader.ts'

export type WalkDeps<T extends { key: string }> = Source<T> & {
  /** What all the keys listed begin with. */
  prefix: string
  /** Takes the pages of a round: none empty, no object twice. One call at a time. */
  emit: (pages: Read<T>[]) => Promise<void>
  /** Hands ranges that are not empty to other tasks: for each task some, in order. */
  spawn: (hands: Range[][]) => Promise<void>
  /** Whether the listing that this is a part of is known to be of many keys. */
  isLarge: () => boolean
  /** The same of several million keys. */
  isHuge: () => boolean
  /** True when the rest has to be handed on. */
  isLate: () => boolean
  /**
   * Told, before the walk throws, what it has not listed and emitted. Also what was read in the round that failed, and emitted; and
   * when `emit` fails, what was handed to others meanwhile.
   */
  onError?: (left: Range[]) => void
}

export type WalkResult = {
  /** List requests. */
  requests: number
  /** Objects emitted. */
  listed: number
  /** Tasks that ranges were handed to. */
  spawned: number
}

/** Ranges that one task walks side by side: several pages come while one would, and the copy tasks made of them mix keys from afar. */
export const LANES = 8
/** The same in a large listing: list functions are all busy, and each has CPU to spare. */
const LANES_OF_LARGE = 2 * LANES
/** Rounds after which a walk of one range looks where its keys lie, to share them; then again, after twice as many and two. */
const FIRST_LOOK = 2
/** The same for a walk of ranges that were dealt to it: it has its share, unless that turns out to be much longer. */
const LATE_LOOK = 12
/** Rounds between looks for cuts that give a walk more lanes: when it has few, or where a lane lasts. */
const REFILL_EVERY = 4
const LASTING_PAGES = 12
/** Lanes beyond those of a hand that lasting ones may be cut into. */
const MORE_LANES = LANES
/** When so few lanes are left, and one has lasted so long, time is worth more than a request. */
const FEW_LANES = 2
const LONG_PAGES = 24
/** Ranges that the looks of the first walk make: lanes for ten tasks, a quarter of the list functions there are at most. */
const SHARED = 10 * LANES
/** And the looks of others: hands for this task and two others. */
const HANDS_LATER = 3
/** Turns in a round that a lane has at least, however short it seems. */
const SLOWEST = 1 / 4
const SLOWEST_OF_LARGE = 1 / 2
/** In a large listing, looks are no more rounds apart: some seconds. */
const LARGE_LOOKS = 16
/** Requests that a walk may waste from the start: most when it knows nothing of where keys lie. */
const SPARE_AT_FIRST = 32
const SPARE = 2
const SPARE_OF_LARGE = 6
/** What each look may waste in a huge listing, however much was: a part that was taken for short, and is not, would be found late. */
const SPARE_OF_HUGE = 8

/**
 * Lists ranges side by side, in rounds of a page of each. When many keys seem to be left it cuts the ranges up and deals
 * the parts to other tasks and itself, so that each has parts from all over. The longer a range seems, the faster it goes, so
 * that all come to their ends together: at any time, then, the copy tasks hold something of all of them.
 *
 * A key that exists throughout is listed once, whatever else comes and goes.
 *
 * Throws what `page`, `folders`, `emit` and `spawn` throw, after all that was under way has ended and what was read was emitted.
 *
 * @param ranges apart from each other, and in order
 */
export async function walk<T extends { key: string }>(
  ranges: readonly Range[],
  deps: WalkDeps<T>,
): Promise<WalkResult> {
  const { prefix, isLarge, isHuge } = deps
  const isFirst = ranges.length === 1
  const spare = isLarge() ? SPARE_OF_LARGE : SPARE
  const reader = new Reader<T>(deps, isFirst ? SPARE_AT_FIRST : spare, isLarge, deps.isLate)
  let spawned = 0

  let lanes = ranges.filter((range) => !isEmpty(range)).map(newLane)
  const emitter = new Emitter(deps.emit, lanes)

  /** Lists a page of a lane: none or one that goes on. */
  const advance = async (lane: Lane): Promise<Lane[]> => {
    const page = await reader.read({ startAfter: lane.after, token: lane.token }, lane.upTo)
    return page?.more ? [advanced(lane, page)] : []
  }

  const advanceAll = async (lanes: Lane[]): Promise<Lane[]> => {
    const left = lanes.map((lane) => pagesLeft(lane, prefix, reader.alphabet))
    const most = Math.max(1, ...left.map((pages) => pages ?? 0))
    const slowest = isLarge() ? SLOWEST_OF_LARGE : SLOWEST
    for (const [index, lane] of lanes.entries()) {
      const pages = left[index]
      lane.due += pages === undefined ? 1 : Math.max(slowest, pages / most)
    }
    return (await all(lanes.map(async (lane) => (lane.due < 1 ? [lane] : await advance(lane))))).flat()
  }

  /** Cuts what is left up and deals it: to this walk, unless its time is up, and to other tasks. */
  const share = async (isLate: boolean) => {
    const hand = isLarge() ? LANES_OF_LARGE : LANES
    const parts = await divideAll(lanes, isFirst ? SHARED : HANDS_LATER * hand, prefix, reader)
    const hands = deal(parts, hand)
    lanes = isLate ? [] : (hands.shift() ?? [])
    if (hands.length === 0) return
    spawned += hands.length
    await deps.spawn(hands.map((it) => it.map(rangeOf)))
  }

  /** Cuts lanes up that last, or any when they are few, all for this walk. */
  const refill = async () => {
    const hand = isLarge() ? LANES_OF_LARGE : LANES
    if (lanes.length <= FEW_LANES && lanes.some(({ pages }) => pages >= LONG_PAGES)) reader.allow(1)
    const lasting = lanes.filter(({ pages }) => pages >= LASTING_PAGES).length
    const most = Math.max(hand, Math.min(hand + MORE_LANES, lanes.length + lasting))
    lanes = await divideAll(lanes, most, prefix, reader)
  }

  let look = isFirst ? FIRST_LOOK : LATE_LOOK
  const listAll = async () => {
    for (let rounds = 1; lanes.length > 0; rounds++) {
      lanes = await advanceAll(lanes)
      // The first pages too, although they come from one place: the copy functions need a while to start.
      await emitter.emit(reader.take(), lanes)
      const isLate = deps.isLate()
      const isLook = rounds === look
      const isRefill = rounds % REFILL_EVERY === 0
      // What no look has found may come up any time: a folder that holds nearly all, say.
      const isAlone = isFirst && spawned === 0
      if ((isLook || isRefill) && isHuge()) reader.allow(SPARE_OF_HUGE)
      if (isLook || (isAlone && isRefill) || isLate) await share(isLate)
      else if (isRefill) await refill()
      if (isLook) look += isLarge() ? Math.min(look + 2, LARGE_LOOKS) : look + 2
    }
  }
  try {
    try {
      await listAll()
    } finally {
      await emitter.emit(reader.take(), lanes)
      await emitter.end()
    }
  } catch (error) {
    deps.onError?.(emitter.left.map(rangeOf))
    throw error
  }
  return { requests: reader.requests, listed: reader.listed, spawned }
}
