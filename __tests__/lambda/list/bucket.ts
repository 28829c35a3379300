import { type Page, walk } from '../../../lambda/list/walk.ts'
import { compareKeys, KEY_BYTES, utf8Length } from '../../../protocol/key.ts'
import { inRange, type Range } from '../../../protocol/range.ts'

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
  /** Whether a walk's time is up. */
  isLate?: () => boolean
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
  const { pageSize = () => 1000, isLate = () => false, pick = () => 0, together = false, change } = whims
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
    await walk<{ key: string }>(ranges, {
      prefix,
      page,
      emit: async (pages) => {
        for (const objects of pages) result.emitted.push(objects.map(({ key }) => key))
      },
      spawn: async (hands) => {
        result.spawned.push(...hands)
        waiting.push(...hands)
      },
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
