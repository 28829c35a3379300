import { ABOVE, commonPrefix, compareKeys, KEY_BYTES, utf8Length } from '../../protocol/key.ts'
import type { Run } from '../../protocol/run.ts'
import type { ListAnswer, ListedObject, ListRequest } from '../s3/index.ts'
import { all, PAGE_KEYS } from './reader.ts'

/** Behind an answer that got past so few keys, two go on at once with half of the rest each, which takes little more requests. */
const FEW = 100
/** When it got past no more than these, a few keys of the next answer tell as much as a whole page. */
const VERY_FEW = 2
/** So many, and when such a short answer got past no more than one. */
const SHORT_PAGE_KEYS = 10
/** So many answers without keys though others follow, of one stretch, tell that many objects were deleted there; */
const EMPTY_PAGES = 3
/** and so many, of a page, that these are too many to get past. */
const MOST_EMPTY = 100
/** Requests that a page is worth under `never`: S3 looks by itself then, and a copy that it refuses costs no more than a request here. */
const MOST_REQUESTS = 100

/**
 * Leaves out of a page of the source what the destination has already: any object of that key, or under `if-newer` one of
 * the same size that was written no earlier than the source's. It lists the same stretch of the destination, which costs
 * a thousandth of asking for each object; where the destination holds far more keys, many stretches of it at once. Under `never`
 * it gives up where that would cost much, and leaves what was not found to S3.
 *
 * @param objects in S3's order; the destination's keys are in the same, since all of them change one prefix for another
 * @param list one page of a bucket; what it throws is thrown
 */
export async function withoutPresent(
  objects: ListedObject[],
  { source, destination, options }: Pick<Run, 'source' | 'destination' | 'options'>,
  list: (request: ListRequest) => Promise<ListAnswer>,
): Promise<ListedObject[]> {
  const place = (key: string) => destination.prefix + key.slice(source.prefix.length)
  // A key that is too long there can't be there, and S3 would refuse to list after it.
  const wanted = objects.map(({ key }) => place(key)).filter((key) => utf8Length(key) <= KEY_BYTES)
  const isWanted = new Set(wanted)
  const present = new Map<string, ListedObject>()
  const base = {
    bucket: destination.bucket,
    requestPayer: options?.requestPayer,
    expectedBucketOwner: options?.destinationOwner,
  }
  let requests = 0
  let empties = 0
  const look = async (request: Omit<ListRequest, 'bucket'>): Promise<ListAnswer> => {
    requests++
    const answer = await list({ ...base, ...request })
    for (const object of answer.objects) if (isWanted.has(object.key)) present.set(object.key, object)
    return answer
  }
  const isTooDear = () => options?.overwrite === 'never' && requests >= MOST_REQUESTS
  /**
   * Of the keys that begin with it, it would be the first. When some pages are empty though others follow, many others of these were
   * deleted, and it is taken to be: S3 has its own look under `never`, and under `if-newer` it is copied once more at worst.
   */
  const findOne = async (key: string): Promise<void> => {
    let continuationToken: string | undefined
    for (let pages = 0; pages < EMPTY_PAGES && !isTooDear(); pages++) {
      const answer = await look({ prefix: key, maxKeys: 1, continuationToken })
      if (answer.objects.length > 0 || !answer.isTruncated) return
      continuationToken = answer.nextContinuationToken
    }
  }
  /** Looks for keys, which are in order. */
  const find = async (keys: readonly string[], maxKeys: number): Promise<void> => {
    let left = keys
    let end: string | undefined
    let passed = FEW
    let continuationToken: string | undefined
    let empty = 0
    while (passed >= FEW) {
      const [first] = left
      if (first === undefined || isTooDear()) return
      if (left.length === 1) return await findOne(first)
      const startAfter = later(end, justBefore(first))
      // What all have in common begins with the prefix, which the right to list may be limited to.
      const prefix = commonPrefix(first, left.at(-1) as string)
      const answer = await look({ prefix, startAfter, maxKeys, continuationToken })
      if (!answer.isTruncated) return
      end = answer.objects.at(-1)?.key
      if (end === undefined) {
        continuationToken = answer.nextContinuationToken
        empties++
        if (++empty < EMPTY_PAGES) continue
        // Of what some begin with, the end is nearer.
        const parts = [...Map.groupBy(left, (key) => key.codePointAt(prefix.length)).values()]
        await all(empties < MOST_EMPTY ? parts.map((part) => find(part, maxKeys)) : left.map(findOne))
        return
      }
      continuationToken = undefined
      empty = 0
      const behind = left.filter((key) => compareKeys(key, end as string) > 0)
      passed = left.length - behind.length
      left = behind
    }
    const middle = left.length >>> 1
    const isDense = passed <= (maxKeys === PAGE_KEYS ? VERY_FEW : 1)
    const most = isDense ? SHORT_PAGE_KEYS : PAGE_KEYS
    await all([find(left.slice(0, middle), most), find(left.slice(middle), most)])
  }
  await find(wanted, PAGE_KEYS)
  return objects.filter((object) => {
    const there = present.get(place(object.key))
    return there === undefined || (options?.overwrite === 'if-newer' && isNewer(object, there))
  })
}

/** The later of two keys: what lies between is skipped, since the destination may hold far more keys than the source. */
function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return compareKeys(a, b) > 0 ? a : b
}

/** Whether the source is not what the destination was made from. */
function isNewer(source: ListedObject, there: ListedObject): boolean {
  return (
    source.size !== there.size ||
    !(Date.parse(there.lastModified ?? '') >= Date.parse(source.lastModified ?? ''))
  )
}

/** A key to list after so that the given one is the first to come, but for few others. */
export function justBefore(key: string): string | undefined {
  const point = [...key].at(-1)
  if (point === undefined) return undefined
  const start = key.slice(0, key.length - point.length)
  const code = point.codePointAt(0) as number
  // The code points between are no characters.
  const previous = code === 0xe000 ? 0xd7ff : code - 1
  if (previous < 1) return start || undefined
  const before = start + String.fromCodePoint(previous) + ABOVE
  return utf8Length(before) <= KEY_BYTES ? before : start || undefined
}
