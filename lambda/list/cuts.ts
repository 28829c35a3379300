import { ABOVE } from '../../protocol/key.ts'
import { endCuts, evenCuts, guessPagesLeft, isBetween, sharedByAll } from './guess.ts'
import { crowdEnd, folderIn, type Known, likelyEnd, pagesLeft } from './lane.ts'
import type { Reader } from './reader.ts'

/** Folders in folders that are asked for at one look at most. */
const DESCENTS = 4
/** Pages that a part made at a folder has at least, where letters tell: a folder with less is not worth a request. */
const FOLDER_PAGES = 3
/** Pages left of a folder that keys crowd, from which on these are cut rather than what follows them. */
const CROWD_PAGES = 4

/**
 * Keys to cut a lane at, at most so many, in order; none when no good ones are known. In turn:
 *
 * - at folders that S3 names when it is asked: all of them hold keys;
 * - evenly, as letters count, and the fewer the less such guesses have hit, within the folder that keys crowd;
 * - where letters tell nothing, behind everything that begins like the known page, to find where the keys end;
 * - evenly as far as the lane is likely to go;
 * - behind the folder that the lane is in, of very many, when there is no other cut.
 *
 * Adds to the lane's clues.
 */
export async function cutsOf(
  lane: Known,
  most: number,
  prefix: string,
  reader: Reader<{ key: string }>,
): Promise<string[]> {
  const { clues, page } = lane
  const { first, last } = page
  const { alphabet } = reader
  clues.folders = clues.folders?.filter((folder) => isBetween(last, folder, lane.upTo))
  for (let asked = 0; asked < DESCENTS; asked++) {
    if (clues.folders?.length) {
      const pages = pagesLeft(lane, prefix, alphabet) ?? Number.POSITIVE_INFINITY
      return atFolders(lane, clues.folders, Math.min(most, Math.floor(pages / FOLDER_PAGES)))
    }
    const folder = nextFolder(lane, prefix)
    if (folder === undefined) break
    if (folderOf(first) === folder && folderOf(last) === folder) {
      // It would name a page of keys.
      Object.assign(clues, { folder, folders: [], crowd: folder, isOfKeys: true })
      break
    }
    if (reader.spare < 1) return []
    if (!(await askFor(folder, lane, prefix, reader))) break
  }
  // Few keys are left of a folder that lies in a page with others.
  if (clues.crowd === undefined && folderOf(first) !== folderOf(last)) return []
  const even = (upTo: string | undefined) =>
    evenCuts({ ...page, upTo }, Math.max(1, Math.round(most * reader.luck)), prefix, alphabet)
  const end = crowdEnd(lane)
  const guess = guessPagesLeft({ ...page, upTo: end ?? likelyEnd(lane) }, prefix, alphabet)
  if (end !== undefined && guess !== undefined && guess > CROWD_PAGES) return even(end)
  if (lane.upTo === undefined || guess === undefined)
    clues.ends ??= endCuts({ ...page, upTo: end ?? lane.upTo }, prefix, alphabet)
  clues.ends = clues.ends?.filter((key) => isBetween(last, key, lane.upTo))
  if (clues.ends?.length) return someOf(clues.ends, most)
  const cuts = even(likelyEnd(lane))
  return cuts.length > 0 || guess !== undefined ? cuts : behindFolder(lane)
}

/** Where a lane has not left one of very many folders yet: the key behind that folder. */
function behindFolder({ page: { first, last }, upTo, clues: { crowd } }: Known): string[] {
  const folder = crowd !== undefined && last.startsWith(crowd) ? folderIn(crowd, last) : undefined
  if (folder === undefined || !first.startsWith(folder)) return []
  return [folder + ABOVE].filter((key) => isBetween(last, key, upTo))
}

/** The folders to cut a lane at. Where keys crowd one folder these may go on for long: the next folder is among the cuts. */
function atFolders({ page: { first, last } }: Known, folders: readonly string[], most: number): string[] {
  const [next, ...others] = folders
  if (next === undefined || most < 1 || folderOf(first) !== folderOf(last)) return someOf(folders, most)
  return [next, ...someOf(others, most - 1)]
}

/**
 * The folder that all of a lane lies in, or of those below it the first that was not asked for. Undefined when it holds keys
 * only, or more folders than S3 names at once: what lies in the first of them says nothing of the others.
 */
function nextFolder({ page: { last }, upTo, clues }: Known, prefix: string): string | undefined {
  const shared = sharedByAll(last, upTo, prefix)
  const lowest = shared.slice(0, Math.max(prefix.length, shared.lastIndexOf('/') + 1))
  const { folder, crowd } = clues
  const isAsked = folder !== undefined && last.startsWith(folder) && folder.startsWith(lowest)
  const above = isAsked ? folder : lowest
  const below = folderIn(above, last)
  if (above === crowd || below === undefined) return undefined
  return isAsked ? below : above
}

/** Asks for the folders in a folder, and notes those that lie in the lane; false when it has too much to go by them. */
async function askFor(
  folder: string,
  lane: Known,
  prefix: string,
  reader: Reader<{ key: string }>,
): Promise<boolean> {
  const { clues, page } = lane
  const { last } = page
  const { folders, hasKeys, end } = await reader.folders(folder, last)
  const inLane = folders.filter((name) => isBetween(last, name, lane.upTo))
  clues.folder = folder
  const isComplete = end === undefined || (lane.upTo !== undefined && !isBetween(last, end, lane.upTo))
  if (!isComplete) {
    // Letters are all there is to go by in such a folder.
    if (!hasKeys) reader.alphabet.learnFolders(folders)
    clues.crowd = folder
    clues.isOfKeys = hasKeys
    // Few folders that stand among many keys are worth a cut; of very many these would be the first few.
    clues.folders = hasKeys ? inLane : []
    return clues.folders.length > 0
  }
  clues.folders = inLane
  const below = folderIn(folder, last)
  // What S3 does not name is not taken for missing: it is asked for.
  if (!hasKeys && below !== undefined && lane.upTo !== undefined) {
    const upTo = (inLane.at(-1) ?? below) + ABOVE
    const rest = { ...page, upTo }
    const isVague = guessPagesLeft(rest, prefix, reader.alphabet) === undefined
    clues.ends = [...(isVague ? endCuts(rest, prefix, reader.alphabet) : []), upTo]
  }
  return true
}

/** A key up to its last slash. */
function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1)
}

/** At most so many of them, from all over. */
function someOf<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  return Array.from({ length: most }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / most)] as T)
}
