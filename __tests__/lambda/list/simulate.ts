import { foldersOf, indexAfter, type KeySet, mix } from '../../../bench/simulation/key-sets.ts'
import { VirtualTime } from '../../../bench/simulation/virtual-time.ts'
import type { Page } from '../../../lambda/list/reader.ts'
import { walk } from '../../../lambda/list/walk.ts'
import type { Range } from '../../../protocol/range.ts'

const PAGE_MS = 80
const PAGE_KEYS = 1000
/** For so long a list task lists before it hands the rest on, as the function does. */
const TASK_MS = 20_000
/** Pages of a listing that is large, and of one that is huge. */
const LARGE_PAGES = 1_200
const HUGE_PAGES = 3_000
/** SQS to Lambda: a message takes this long to be worked on, when an instance is free. */
const HOP_MS = [100, 300] as const
/** Instances that the event source mapping starts with, and gains each second (300 a minute). */
const INSTANCES = { atStart: 5, perSecond: 5 }

export type Simulated = {
  requests: number
  tasks: number
  /** Links from a seed to the deepest task. */
  depth: number
  /** Virtual milliseconds from the seeds to the last key. */
  ms: number
  /** When a first part was handed to another task; Infinity when none was. */
  sharedMs: number
  /** Stretches of key indexes that were emitted. */
  emitted: [number, number][]
}

/** Lists a key set by walks in virtual time; deterministic. */
export async function simulate(keys: KeySet, seeds: Range[] = [{}], prefix = ''): Promise<Simulated> {
  const clock = new VirtualTime()
  const result: Simulated = {
    requests: 0,
    tasks: 0,
    depth: 0,
    ms: 0,
    sharedMs: Number.POSITIVE_INFINITY,
    emitted: [],
  }
  const waiting: (() => void)[] = []
  let running = 0
  /** Tasks that are not through. */
  let open = 0
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<void>()

  const admit = () => {
    while (waiting.length > 0 && running < INSTANCES.atStart + (INSTANCES.perSecond * clock.now()) / 1000) {
      running++
      ;(waiting.shift() as () => void)()
    }
    if (waiting.length > 0) void clock.sleep(100).then(admit)
  }
  const send = (ranges: Range[], depth: number) => {
    const hop = HOP_MS[0] + (mix(result.tasks++) % (HOP_MS[1] - HOP_MS[0]))
    open++
    void clock.sleep(hop).then(() => {
      waiting.push(() => void run(ranges, depth).catch(fail))
      admit()
    })
  }
  const run = async (ranges: Range[], depth: number) => {
    const begun = clock.now()
    await walk<{ key: string; index: number }>(ranges, {
      prefix,
      page: async ({ startAfter, token }) => {
        result.requests++
        await clock.sleep(PAGE_MS)
        return pageOf(
          keys,
          token ? Number(token) : startAfter === undefined ? 0 : indexAfter(keys, startAfter),
        )
      },
      folders: async (folder, startAfter) => {
        result.requests++
        await clock.sleep(PAGE_MS)
        return foldersOf(keys, folder, startAfter)
      },
      emit: async (pages) => {
        for (const { objects } of pages) {
          const [first, ...rest] = objects
          if (first) result.emitted.push([first.index, first.index + 1 + rest.length])
        }
      },
      spawn: async (hands) => {
        result.sharedMs = Math.min(result.sharedMs, clock.now())
        for (const child of hands) send(child, depth + 1)
      },
      isLarge: () => result.requests > LARGE_PAGES,
      isHuge: () => result.requests > HUGE_PAGES,
      isLate: () => clock.now() - begun >= TASK_MS,
    })
    result.depth = Math.max(result.depth, depth)
    result.ms = Math.max(result.ms, clock.now())
    running--
    if (--open === 0) end()
    admit()
  }
  for (const seed of seeds) send([seed], 0)
  await clock.run(ended)
  return result
}

/** A page of objects that know their index, with the next index as its token. */
export function pageOf(keys: KeySet, from: number, size = PAGE_KEYS): Page<{ key: string; index: number }> {
  const end = Math.min(keys.size, from + size)
  const objects = Array.from({ length: end - from }, (_, i) => ({ key: keys.at(from + i), index: from + i }))
  return end < keys.size ? { objects, token: String(end) } : { objects }
}
