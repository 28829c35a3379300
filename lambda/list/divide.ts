import { cutsOf } from './cuts.ts'
import { endCuts, sharedByAll } from './guess.ts'
import {
  type Clues,
  folderIn,
  isKnown,
  type Known,
  type Lane,
  laneBehind,
  likelyPagesLeft,
  newLane,
} from './lane.ts'
import { all, type Found, type Reader } from './reader.ts'

/** Parts that a lane is cut into at once. */
const PARTS_OF_ONE = 9
/** Pages that are worth a lane of their own: two seconds of listing. */
const LANE_PAGES = 16
/** The same while there are only so few lanes that requests come nearly one after another. */
const FEW_PAGES = 5
const FEW_LANES = 3
/** Times that parts are cut up further at one look: each takes some requests one after another. */
const TIMES = 6

/**
 * Cuts lanes up until there are so many, or no good cuts are found. Returns the parts of which more is left, in order.
 *
 * Where to cut is guessed, and tried with a request for the page behind the guess, which is kept. When more follows it, that is
 * a part; when it is the lane's last, or empty, the lane is known to end before it. So pages and parts tile the lanes whatever
 * the guesses.
 */
export async function divideAll(
  lanes: Lane[],
  most: number,
  prefix: string,
  reader: Reader<{ key: string }>,
  times = TIMES,
): Promise<Lane[]> {
  const parts = plan(lanes, most, prefix, reader)
  if (times === 0 || parts.every((count) => count === 1)) return lanes
  const divided = await all(
    lanes.map(async (lane, index) => {
      const count = parts[index] as number
      return isKnown(lane) && count > 1 ? await divide(lane, count, prefix, reader) : [lane]
    }),
  )
  const found = divided.flat()
  if (found.every((lane) => lanes.includes(lane))) return lanes
  return await divideAll(found, most, prefix, reader, times - 1)
}

/**
 * Into how many parts to cut each lane: the longest into most, and no more in all than guesses may be made. What the longest can't
 * have at once is left for the next time, rather than spent on lanes that are short beside it.
 */
function plan(lanes: Lane[], most: number, prefix: string, reader: Reader<{ key: string }>): number[] {
  const least = 2 * (lanes.length <= FEW_LANES ? FEW_PAGES : LANE_PAGES)
  const shares = lanes.map((lane) => {
    const pages = likelyPagesLeft(lane, prefix, reader.alphabet)
    return { parts: 1, atOnce: isKnown(lane) ? PARTS_OF_ONE : 1, pages, shared: sharedLetters(lane, prefix) }
  })
  const cuts = Math.min(most - lanes.length, reader.guesses)
  for (let cut = 0; cut < cuts; cut++) {
    // Of those of which nothing is known, the wider are taken for the longer.
    const [longest] = shares
      .filter((it) => it.pages / it.parts >= least)
      .sort((a, b) => b.pages / b.parts - a.pages / a.parts || a.shared - b.shared)
    if (!longest) break
    longest.parts++
  }
  return shares.map(({ parts, atOnce }) => Math.min(parts, atOnce))
}

function sharedLetters({ after, upTo }: Lane, prefix: string): number {
  return after === undefined ? 0 : sharedByAll(after, upTo, prefix).length
}

async function divide(
  lane: Known,
  most: number,
  prefix: string,
  reader: Reader<{ key: string }>,
): Promise<Lane[]> {
  const cuts = await cutsOf(lane, most - 1, prefix, reader)
  if (cuts.length === 0) return [lane]
  const { clues } = lane
  const isEven = !clues.folders?.length && !clues.ends?.length
  const upTos = [...cuts, lane.upTo]
  const pages = await all(cuts.map((startAfter, index) => reader.read({ startAfter }, upTos[index + 1])))
  const lowest: Known = { ...lane, upTo: upTos[0], pages: lane.pages / 2, clues: { ...clues } }
  const parts: Lane[] = [lowest]
  let top = lowest
  let missed = 0
  for (const [index, page] of pages.entries()) {
    const upTo = upTos[index + 1]
    missed = page ? 0 : missed + 1
    if (page?.isEmpty) parts.push(newLane({ after: cuts[index], upTo, token: page.token }))
    else if (page?.more) {
      top = laneBehind(page, upTo, cluesBehind(clues, page))
      parts.push(top)
    }
  }
  reader.learn(pages.filter((page) => page && !page.isEmpty).length, pages.length)
  // Ends that are still to be tried concern the part that reaches up to them.
  for (const part of parts) if (part !== top) delete part.clues.ends
  if (isEven && missed >= cuts.length / 2)
    top.clues.ends = endCuts({ ...top.page, upTo: top.upTo }, prefix, reader.alphabet)
  return parts
}

/** What is known of a part by what was known of the whole: where keys crowd a folder, and folders follow, these may be asked for again. */
function cluesBehind(clues: Clues, { last }: Found): Clues {
  const { crowd, isOfKeys } = clues
  const isInFolder = crowd !== undefined && last.startsWith(crowd) && folderIn(crowd, last) !== undefined
  return isOfKeys && isInFolder ? { ...clues, folder: undefined, crowd: undefined } : { ...clues }
}
