import type { Folders, Page } from '../../../lambda/list/reader.ts'
import { walk } from '../../../lambda/list/walk.ts'
import { compareKeys, KEY_BYTES, utf8Length } from '../../../protocol/key.ts'
import type { Range } from '../../../protocol/range.ts'
import { inRange } from '../../support/range.ts'

export type Listing = {
  /** The pages of keys that were emitted, in the order of their first keys. */
  emitted: string[][]
  requests: number
  /** Ranges that walks handed on, together to one task each. */
  spawned: Range[][]
}

export type Whims = {
  /** How many keys the next page holds; 0 for an empty page that goes on. */
  pageSize?: () => number
  /** How many folders and keys the next answer holds that names folders. */
  folderSize?: () => number
  /** Whether an answer leaves a folder or a key out that it should name. */
  forgets?: () => boolean
  /** Whether a walk's time is up. */
  isLate?: () => boolean
  /** Whether the listing is large. */
  isLarge?: () => boolean
  isHuge?: () => boolean
  /** Which of the waiting tasks comes next, from 0 up to but not including the given number. */
  pick?: (waiting: number) => number
  /** Whether the seeds are one task. */
  together?: boolean
  /** Called at each request; may change the bucket's keys. */
  change?: (keys: Set<string>) => void
}

/** Lists a bucket by walks that follow one another. Fails on a request that S3 would refuse or that a walk has no reason for. */
export async function list(
  keys: Set<string>,
  seeds: Range[],
  prefix = '',
  whims: Whims = {},
): Promise<Listing> {
  const {
    pageSize = () => 1000,
    folderSize = () => 1000,
    forgets = () => false,
    isLate = () => false,
    isLarge = () => false,
    isHuge = () => false,
    pick = () => 0,
    together = false,
    change,
  } = whims
  const result: Listing = { emitted: [], requests: 0, spawned: [] }
  const waiting = together ? [[...seeds]] : seeds.map((seed) => [seed])
  while (waiting.length > 0) {
    const ranges = waiting.splice(pick(waiting.length), 1)[0] as Range[]
    const page = async ({
      startAfter,
      token,
    }: {
      startAfter?: string | undefined
      token?: string | undefined
    }) => {
      checkStart(startAfter, ranges)
      change?.(keys)
      result.requests++
      const start = token === undefined ? startAfter : token.slice(1)
      return pageOf(keys, prefix, start, pageSize())
    }
    const folders = async (folder: string, startAfter: string) => {
      if (!folder.startsWith(prefix)) throw new Error('asked for a folder outside the prefix')
      change?.(keys)
      result.requests++
      return foldersOf(keys, folder, startAfter, folderSize(), forgets)
    }
    await walk<{ key: string }>(ranges, {
      prefix,
      page,
      folders,
      emit: async (pages) => {
        for (const { objects } of pages) result.emitted.push(objects.map(({ key }) => key))
      },
      spawn: async (hands) => {
        result.spawned.push(...hands)
        waiting.push(...hands)
      },
      isLarge,
      isHuge,
      isLate,
    })
  }
  result.emitted.sort((a, b) => compareKeys(a[0] as string, b[0] as string))
  return result
}

function checkStart(startAfter: string | undefined, ranges: Range[]): void {
  if (startAfter === undefined || ranges.some(({ after }) => after === startAfter)) return
  if (!startAfter.isWellFormed()) throw new Error('asked for a key that is no valid Unicode')
  if (utf8Length(startAfter) > KEY_BYTES) throw new Error('asked for a key that is too long')
  if (!ranges.some((range) => inRange(startAfter, range) && startAfter !== range.upTo))
    throw new Error('asked for keys outside the range')
}

function foldersOf(
  keys: Set<string>,
  folder: string,
  startAfter: string,
  size: number,
  forgets: () => boolean,
): Folders {
  const found = new Set<string>()
  for (const key of [...keys].sort(compareKeys)) {
    if (!key.startsWith(folder) || compareKeys(startAfter, key) >= 0) continue
    const slash = key.indexOf('/', folder.length)
    found.add(slash < 0 ? key : key.slice(0, slash + 1))
  }
  const names = [...found].sort(compareKeys).filter(() => !forgets())
  const answer = names.slice(0, size)
  return {
    folders: answer.filter((name) => name.endsWith('/')),
    hasKeys: answer.some((name) => !name.endsWith('/')),
    end: names.length > size ? answer.at(-1) : undefined,
  }
}

function pageOf(
  keys: Set<string>,
  prefix: string,
  start: string | undefined,
  size: number,
): Page<{ key: string }> {
  const rest = [...keys]
    .filter((key) => key.startsWith(prefix) && (start === undefined || compareKeys(start, key) < 0))
    .sort(compareKeys)
  const objects = rest.slice(0, size).map((key) => ({ key }))
  return rest.length > size ? { objects, token: `>${objects.at(-1)?.key ?? start ?? ''}` } : { objects }
}
