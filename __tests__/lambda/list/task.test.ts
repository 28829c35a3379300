import { expect, test } from '@jest/globals'
import { indexAfter, type KeySet, keysNamed } from '../../../bench/simulation/key-sets.ts'
import { foldersAnswer } from '../../../bench/simulation/s3.ts'
import { VirtualTime } from '../../../bench/simulation/virtual-time.ts'
import { workOnListTask } from '../../../lambda/list/task.ts'
import { LANES } from '../../../lambda/list/walk.ts'
import { type ListAnswer, type ListRequest, S3Error } from '../../../lambda/s3/index.ts'
import { type CopyTask, type ListTask, newListTask, type Task } from '../../../protocol/task.ts'
import { pageOf } from './simulate.ts'

const run = {
  id: 'r',
  queue: 'https://sqs/run',
  source: { bucket: 'from', prefix: '' },
  destination: { bucket: 'to', prefix: '' },
  batchSize: 250,
}

/** Works on one list task over keys; what it spawned, in order, and how often it waited for all of it to leave. */
async function work(keys: KeySet, task: ListTask, refuse: (request: ListRequest) => boolean = () => false) {
  const time = new VirtualTime()
  const spawned: { task: Task; delay: number }[] = []
  let dispatched = 0
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
      await time.sleep(80)
      if (refuse(request)) throw new S3Error('AccessDenied', 'no', { status: 403 })
      if (bucket === 'to') return { objects: [], commonPrefixes: [], isTruncated: false }
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
  return { result, copies, lists, dispatched }
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

test('a part outside of the source is refused before anything is listed', async () => {
  const stray = newListTask('seed.0', { ...run, source: { bucket: 'from', prefix: 'a/' } }, seed)
  await expect(work(hex(10), stray)).rejects.toThrow('outside the source prefix')
})

test('objects count as listed only when their copies are sent, also when the destination refuses to be listed midway', async () => {
  let looks = 0
  const options = { overwrite: 'never' } as const
  const task = newListTask('seed.0', { ...run, options }, seed)
  const { result, copies } = await work(hex(40_000), task, ({ bucket }) => bucket === 'to' && ++looks > 5)
  expect(result.unlisted?.code).toBe('AccessDenied')
  const sent = copies.reduce((sum, { task: { objects } }) => sum + objects.length, 0)
  expect([result.listed, result.skipped]).toEqual([sent, 0])
})
