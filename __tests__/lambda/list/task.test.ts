import { describe, expect, test } from '@jest/globals'
import { indexAfter, type KeySet, keysNamed } from '../../../bench/simulation/key-sets.ts'
import { foldersAnswer } from '../../../bench/simulation/s3.ts'
import { VirtualTime } from '../../../bench/simulation/virtual-time.ts'
import { workOnListTask } from '../../../lambda/list/task.ts'
import { LANES } from '../../../lambda/list/walk.ts'
import { type ListAnswer, type ListRequest, S3Error } from '../../../lambda/s3/index.ts'
import type { Range } from '../../../protocol/range.ts'
import { type CopyTask, type ListTask, newListTask, type Task } from '../../../protocol/task.ts'
import { inRange } from '../../support/range.ts'
import { pageOf } from './simulate.ts'

const run = {
  id: 'r',
  queue: 'https://sqs/run',
  source: { bucket: 'from', prefix: '' },
  destination: { bucket: 'to', prefix: '' },
  batchSize: 250,
}

const NOTHING: ListAnswer = { objects: [], commonPrefixes: [], isTruncated: false }

/** Works on one list task over keys; what it spawned, in order, and how often it waited for all of it to leave. */
async function work(
  keys: KeySet,
  task: ListTask,
  {
    refuse = (_: ListRequest): boolean => false,
    code = 'AccessDenied',
    destination = (_: ListRequest) => NOTHING,
    lookMs = 80,
  } = {},
) {
  const time = new VirtualTime()
  const spawned: { task: Task; delay: number }[] = []
  let dispatched = 0
  let looks = 0
  const attempt = {
    deadline: 300_000,
    signal: new AbortController().signal,
    spawn: async (_: string, make: (id: string) => Task, delay = 0) =>
      void spawned.push({ task: make(`a.${spawned.length}`), delay }),
    dispatch: async () => void dispatched++,
  }
  const s3 = {
    listObjectsV2: async (request: ListRequest) => {
      const { bucket, prefix = '', delimiter, startAfter, continuationToken } = request
      await time.sleep(bucket === 'to' ? lookMs : 80)
      if (bucket === 'to') looks++
      if (refuse(request)) throw new S3Error(code, 'no', { status: 403 })
      if (bucket === 'to') return destination(request)
      if (delimiter !== undefined) return foldersAnswer(keys, prefix, startAfter)
      const from =
        continuationToken === undefined ? indexAfter(keys, startAfter ?? '') : Number(continuationToken)
      const { objects, token } = pageOf(keys, from)
      const listed = objects.map(({ key }) => ({ key, size: 1, etag: '', lastModified: '' }))
      return { objects: listed, isTruncated: token !== undefined, nextContinuationToken: token } as ListAnswer
    },
  }
  const queues = { listQueueUrl: 'https://sqs/list', copyQueueUrl: 'https://sqs/copy' }
  const deps = { s3, timing: time, ...queues, waiting: async () => 1_000 }
  const result = await time.run(workOnListTask(task, attempt, deps))
  const copies = spawned.filter(({ task: it }) => it.kind === 'copy') as { task: CopyTask; delay: number }[]
  const lists = spawned.filter(({ task: it }) => it.kind === 'list') as { task: ListTask; delay: number }[]
  return { result, copies, lists, dispatched, looks, seconds: time.now() / 1000 }
}

const hex = (size: number) => keysNamed('hex', size)
const seed = newListTask('seed.0', run, { prefix: '', ranges: [{}] })

test('a small source is shared out in small tasks that nothing holds back', async () => {
  const { result, copies, lists } = await work(hex(5_000), seed)
  expect([result.listed, lists.length]).toEqual([5_000, 0])
  const sizes = copies.map(({ task }) => task.objects.length)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5_000)
  expect(copies.every(({ delay }) => delay === 0)).toBe(true)
  // What leaves on the way, before it is known to be small, is in full tasks.
  expect(sizes.filter((size) => size > 40).reduce((sum, size) => sum + size, 0)).toBeLessThan(5_000 / 5)
})

test('tasks of a large source mix keys from all over and are spread over time', async () => {
  const { result, copies, lists, dispatched } = await work(hex(1_000_000), seed)
  const objects = copies.reduce((sum, { task }) => sum + task.objects.length, 0)
  expect(objects).toBe(result.listed)
  const full = copies.filter(({ task }) => task.objects.length === run.batchSize)
  const mixed = full.filter(({ task }) => new Set(task.objects.map(({ key }) => key[0])).size >= 4)
  expect(mixed.length).toBeGreaterThan(full.length / 2)
  expect(new Set(full.map(({ delay }) => delay)).size).toBeGreaterThan(10)
  // The copy functions can start before it is known where the other keys lie.
  expect(copies[0]?.task.id).toBe('a.0')
  // Parts that others are to list leave at once, several to each.
  expect(dispatched).toBeGreaterThan(0)
  expect(lists.length).toBeGreaterThan(0)
  for (const { task } of lists) {
    expect(task.ranges.length).toBeLessThanOrEqual(LANES)
    expect(task.listing).toMatchObject({ began: 0 })
    expect(task.listing?.shares).toBeGreaterThan(lists.length / 2)
    expect(task.listing?.found).toBeGreaterThan(0)
  }
})

test('a task of a listing that many share holds its copies back for longer', async () => {
  const longest = async (shares: number) => {
    const { copies } = await work(hex(50_000), { ...seed, listing: { began: 0, shares, found: 0 } })
    return Math.max(...copies.map(({ delay }) => delay))
  }
  // One partition takes 14 s for these, and as long as that for each task that shares.
  expect(await longest(1)).toBeLessThanOrEqual(14)
  expect(await longest(10)).toBeGreaterThan(20)
})

test('the source is asked as the run says, for folders too', async () => {
  const options = { requestPayer: 'requester', sourceOwner: '1', destinationOwner: '2' } as const
  const asked: ListRequest[] = []
  const task = newListTask('seed.0', { ...run, options }, seed)
  await work(keysNamed('hive partitions', 20_000), task, { refuse: (request) => !asked.push(request) })
  expect(asked.some(({ delimiter }) => delimiter === '/')).toBe(true)
  for (const request of asked)
    expect(request).toMatchObject({
      bucket: 'from',
      requestPayer: 'requester',
      expectedBucketOwner: '1',
      optionalObjectAttributes: 'RestoreStatus',
    })
})

test('a part outside of the source is refused before anything is listed', async () => {
  const stray = newListTask('seed.0', { ...run, source: { bucket: 'from', prefix: 'a/' } }, seed)
  await expect(work(hex(10), stray)).rejects.toThrow('outside the source prefix')
})

/** Keys that a task has sent, handed to others, and reported as not listed; each once for each time. */
function fates(keys: KeySet, { result, copies, lists }: Awaited<ReturnType<typeof work>>) {
  const all = Array.from({ length: keys.size }, (_, index) => keys.at(index))
  const within = (ranges: readonly Range[]) =>
    all.filter((key) => ranges.some((range) => inRange(key, range)))
  return {
    sent: copies.flatMap(({ task }) => task.objects.map(({ key }) => key)),
    handed: lists.flatMap(({ task }) => within(task.ranges)),
    unlisted: within(result.unlisted?.part.ranges ?? []),
  }
}

test.each([1, 2, 30, 90])(
  'when the source refuses after %i requests, what is not listed is told',
  async (most) => {
    let requests = 0
    const keys = hex(200_000)
    const done = await work(keys, seed, { refuse: () => ++requests > most })
    expect(done.result.unlisted?.code).toBe('AccessDenied')
    const { sent, handed, unlisted } = fates(keys, done)
    expect(new Set([...sent, ...handed, ...unlisted]).size).toBe(keys.size)
    expect(new Set([...handed, ...unlisted]).size).toBe(handed.length + unlisted.length)
    expect(done.result.listed).toBe(sent.length)
    // Pages of the last round, of which another was refused.
    expect(sent.length + handed.length + unlisted.length - keys.size).toBeLessThanOrEqual(2 * LANES * 1000)
  },
)

test.each([1, 5, 50])(
  'when the destination refuses to be listed after %i requests, that is told, and no object is lost',
  async (most) => {
    let looks = 0
    const keys = hex(200_000)
    const options = { overwrite: 'never' } as const
    const task = newListTask('seed.0', { ...run, options }, seed)
    const done = await work(keys, task, { refuse: ({ bucket }) => bucket === 'to' && ++looks > most })
    expect(done.result.unlisted).toMatchObject({
      code: 'AccessDenied',
      message: "the destination to can't be listed: no",
    })
    const { sent, handed, unlisted } = fates(keys, done)
    expect(new Set([...sent, ...handed, ...unlisted]).size).toBe(keys.size)
    // Only what was sent counts.
    expect([done.result.listed, done.result.skipped]).toEqual([sent.length, 0])
  },
)

test('a range is listed from its key when S3 no longer takes the token that came with it', async () => {
  const keys = hex(5_000)
  const after = keys.at(1_000)
  const task = newListTask('seed.0', run, { prefix: '', ranges: [{ after, token: '3000' }] })
  const listed = async (refuse: (request: ListRequest) => boolean) =>
    (await work(keys, task, { refuse, code: 'InvalidArgument' })).result.listed
  expect(await listed(() => false)).toBe(2_000)
  expect(await listed(({ continuationToken }) => continuationToken === '3000')).toBe(3_999)
})

/** A destination that has each key of the source, and 999 behind it. */
function crowded(keys: KeySet) {
  return ({ prefix = '', startAfter = '', maxKeys = 1000 }: ListRequest): ListAnswer => {
    if (maxKeys === 1)
      return { objects: [{ key: prefix, size: 1, etag: '' }], commonPrefixes: [], isTruncated: true }
    let group = indexAfter(keys, startAfter)
    let first = 0
    const before = group > 0 ? keys.at(group - 1) : undefined
    if (before !== undefined && startAfter.startsWith(before)) {
      first = Number(startAfter.slice(before.length + 1)) + 1
      if (first < 1000) group--
      else first = 0
    }
    const objects = Array.from({ length: Math.min(maxKeys, 1000 - first) }, (_, index) => {
      const number = first + index
      return { key: keys.at(group) + (number > 0 ? `/${number}` : ''), size: 1, etag: '' }
    })
    return { objects, commonPrefixes: [], isTruncated: group + 1 < keys.size }
  }
}

/** A destination that had each key of the source, and has a delete marker in its place; S3 looks through so many at once. */
function deleted(keys: KeySet, scanned: number) {
  return ({ prefix = '', startAfter = '', continuationToken }: ListRequest): ListAnswer => {
    const from = continuationToken ? Number(continuationToken) : indexAfter(keys, startAfter)
    const to = Math.max(from, indexAfter(keys, prefix) - 1) + scanned
    const isLast = to >= keys.size || !keys.at(to).startsWith(prefix)
    return isLast ? NOTHING : { ...NOTHING, isTruncated: true, nextContinuationToken: String(to) }
  }
}

describe('looking what the destination has does not hold a task up', () => {
  const keys = hex(200_000)
  const of = (overwrite: 'never' | 'if-newer') =>
    newListTask('seed.0', { ...run, options: { overwrite } }, seed)

  test.each([
    ['under never, which leaves the rest to S3', 'never', 80, crowded(keys)],
    ['under never, however slow S3 is', 'never', 500, crowded(keys)],
    ['under if-newer', 'if-newer', 80, crowded(keys)],
    ['under if-newer, however slow S3 is', 'if-newer', 500, crowded(keys)],
    ['where all was deleted', 'if-newer', 500, deleted(keys, 1_000)],
  ] as const)(
    'with a thousand keys for each of the source: %s',
    async (_, overwrite, lookMs, destination) => {
      const done = await work(keys, of(overwrite), { destination, lookMs })
      expect(done.result.listed).toBeGreaterThan(2_000)
      // The function would be stopped after 290.
      expect(done.seconds).toBeLessThan(250)
      const { sent, handed } = fates(keys, done)
      expect(done.result.skipped + sent.length).toBe(done.result.listed)
      expect(done.result.listed + handed.length).toBe(keys.size)
      for (const { task } of done.lists) expect(task.ranges.length).toBeLessThanOrEqual(LANES)
    },
  )

  test('what was read, but there was no time to look for, is handed on', async () => {
    // The answer for the first page takes more than half of the task's time.
    const few = hex(20_000)
    const done = await work(few, of('if-newer'), { lookMs: 160_000 })
    const { sent, handed } = fates(few, done)
    expect(sent.length).toBeGreaterThan(0)
    expect(done.result.listed).toBe(sent.length)
    expect(sent.length + handed.length).toBe(few.size)
    expect(new Set(handed).size).toBe(handed.length)
    expect(done.seconds).toBeLessThan(200)
  })

  test('where all was deleted, it takes few requests', async () => {
    const { looks, result } = await work(keys, of('if-newer'), { destination: deleted(keys, 1_000) })
    expect(looks).toBeLessThan(5 * (result.listed / 1000))
  })
})

test('a token that the destination no longer takes is done without', async () => {
  const keys = hex(3)
  const task = newListTask('seed.0', { ...run, options: { overwrite: 'never' } }, seed)
  const { result, copies } = await work(keys, task, {
    destination: () => ({ ...NOTHING, isTruncated: true, nextContinuationToken: 'old' }),
    refuse: ({ continuationToken }) => continuationToken === 'old',
    code: 'InvalidArgument',
  })
  expect(result).toMatchObject({ listed: 3, skipped: 0 })
  expect(result.unlisted).toBeUndefined()
  expect(copies.flatMap(({ task }) => task.objects)).toHaveLength(3)
})

test('a list request that S3 leaves unanswered ends with the time of the function, whatever the clock says, and says so', async () => {
  const time = new VirtualTime()
  const ending = new AbortController()
  const attempt = {
    // The clock was set back meanwhile.
    deadline: 300_000,
    signal: ending.signal,
    spawn: async () => {},
    dispatch: async () => {},
  }
  const listObjectsV2 = async ({ signal }: ListRequest): Promise<ListAnswer> => {
    ending.abort()
    throw signal?.reason
  }
  const queues = { listQueueUrl: 'https://sqs/list', copyQueueUrl: 'https://sqs/copy' }
  const deps = { s3: { listObjectsV2 }, timing: time, ...queues, waiting: async () => 0 }
  await expect(time.run(workOnListTask(seed, attempt, deps))).rejects.toThrow(
    'S3 had not finished when the function ran out of time',
  )
  expect(time.now()).toBe(0)
})
