import {
  type CopyAnswer,
  type CopyRequest,
  type ListAnswer,
  type ListRequest,
  type S3,
  S3Error,
} from '../../lambda/s3/index.ts'
import { compareKeys } from '../../protocol/key.ts'
import type { Cpu } from './cpu.ts'
import { foldersOf, indexAfter, type KeySet } from './key-sets.ts'
import type { VirtualTime } from './virtual-time.ts'

export type S3Model = {
  /** Partitions of the destination: equal stretches of its keys. */
  partitions: number
  /** S3 user guide, optimizing performance: copies and listings a second in each partition. */
  copiesPerSecond: number
  listsPerSecond: number
  /** Middle of the latencies; they vary log-normally. */
  copyMs: number
  listMs: number
  /** A refusal comes faster than an answer. */
  refusalMs: number
  spread: number
  /** What an instance has to do for a copy, and for a full page, in milliseconds of a whole vCPU (docs/benchmarks.md). */
  copyCpuMs: number
  pageCpuMs: number
}

const PAGE_KEYS = 1000
/** The share of a full page's work that the smallest answer takes. */
const LEAST_SHARE = 0.05
/** As of an object that was sent in one piece: it is a good part of what copy tasks hold. */
const ETAG = '"d41d8cd98f00b204e9800998ecf8427e"'
/** Requests that S3 takes at once beyond its rate: a fifth of a second's. */
const BURST_SECONDS = 0.2

/** A token bucket: so many requests a second, and a small burst. */
class Limit {
  #tokens = 0
  #at = 0
  readonly #perSecond: number
  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }
  accept(nowMs: number): boolean {
    const gained = ((nowMs - this.#at) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#perSecond * BURST_SECONDS, this.#tokens + gained)
    this.#at = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** The answer to a request with a delimiter, as far as a list task looks at it. */
export function foldersAnswer(keys: KeySet, folder: string, startAfter = ''): ListAnswer {
  const { folders, hasKeys, end } = foldersOf(keys, folder, startAfter)
  return {
    objects: hasKeys ? [{ key: end ?? '' }] : [],
    commonPrefixes: folders,
    isTruncated: end !== undefined,
  } as unknown as ListAnswer
}

/** A model of S3: a bucket of computed keys, latencies, and limits of each partition. */
export class SimulatedS3 {
  lists = 0
  copies = 0
  refused = 0
  /** When the last page was answered. */
  listedMs = 0
  readonly #keys: KeySet
  readonly #time: VirtualTime
  readonly #model: S3Model
  readonly #copyLimits: Limit[]
  readonly #listLimit: Limit
  readonly #borders: string[]

  constructor(keys: KeySet, time: VirtualTime, model: S3Model) {
    this.#keys = keys
    this.#time = time
    this.#model = model
    const { partitions } = model
    this.#copyLimits = Array.from({ length: partitions }, () => new Limit(model.copiesPerSecond))
    this.#listLimit = new Limit(model.listsPerSecond)
    this.#borders = Array.from({ length: partitions - 1 }, (_, index) =>
      keys.at(Math.floor((keys.size * (index + 1)) / partitions)),
    )
  }

  /** What an instance of a function has for its client: answers cost it time of its CPU. */
  client(cpu: Cpu): Pick<S3, 'listObjectsV2' | 'copyObject' | 'perform'> {
    const { copyCpuMs, pageCpuMs } = this.#model
    return {
      listObjectsV2: async (request) => {
        const answer = await this.#list(request)
        const entries = answer.objects.length + answer.commonPrefixes.length
        await cpu.work(pageCpuMs * Math.max(LEAST_SHARE, entries / PAGE_KEYS))
        return answer
      },
      copyObject: async (request) => {
        try {
          return await this.#copy(request)
        } finally {
          await cpu.work(copyCpuMs)
        }
      },
      // Its objects are small, so that no worker asks for anything else.
      perform: () => {
        throw new Error('the simulated S3 lists and copies only')
      },
    }
  }

  async #list({ prefix = '', delimiter, startAfter, continuationToken }: ListRequest): Promise<ListAnswer> {
    this.lists++
    await this.#answer(this.#listLimit, this.#model.listMs)
    this.listedMs = this.#time.now()
    if (delimiter !== undefined) return foldersAnswer(this.#keys, prefix, startAfter)
    const start =
      continuationToken !== undefined
        ? Number(continuationToken)
        : startAfter === undefined
          ? 0
          : indexAfter(this.#keys, startAfter)
    const end = Math.min(this.#keys.size, start + PAGE_KEYS)
    const objects = Array.from({ length: end - start }, (_, index) => ({
      key: this.#keys.at(start + index),
      size: 1,
      etag: ETAG,
    }))
    const isTruncated = end < this.#keys.size
    return {
      objects,
      isTruncated,
      commonPrefixes: [],
      ...(isTruncated && { nextContinuationToken: String(end) }),
    } as unknown as ListAnswer
  }

  async #copy({ sourceKey }: CopyRequest): Promise<CopyAnswer> {
    this.copies++
    await this.#answer(this.#copyLimits[this.#partitionOf(sourceKey)] as Limit, this.#model.copyMs)
    return { etag: ETAG } as CopyAnswer
  }

  async #answer(limit: Limit, ms: number): Promise<void> {
    if (!limit.accept(this.#time.now())) {
      this.refused++
      await this.#time.sleep(this.#vary(this.#model.refusalMs))
      throw new S3Error('SlowDown', 'Please reduce your request rate.', { status: 503 })
    }
    await this.#time.sleep(this.#vary(ms))
  }

  #partitionOf(key: string): number {
    let low = 0
    let high = this.#borders.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(this.#borders[middle] as string, key) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Log-normal about the middle, by the Box-Muller transform. */
  #vary(ms: number): number {
    const { random } = this.#time
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return ms * Math.exp(this.#model.spread * normal)
  }
}
