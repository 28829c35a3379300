import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Packer } from '../../lambda/packer.ts'
import { TASK_BYTES } from '../../protocol/limits.ts'
import { encodeTask, type Listed, newCopyTask } from '../../protocol/task.ts'

const run = {
  id: 'r'.repeat(40),
  queue: `https://sqs/${'q'.repeat(100)}`,
  source: { bucket: 'b'.repeat(63), prefix: '日'.repeat(341) },
  destination: { bucket: 'b'.repeat(63), prefix: '日'.repeat(341) },
  batchSize: 1000,
}
const key = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.string({ minLength: 1, maxLength: 20 }).map((name) => '日'.repeat(300) + name),
  fc.constantFrom('x'.repeat(1024), '日'.repeat(341), '🚀'.repeat(256), '\u0001'.repeat(1024)),
)
const objects = fc.array(fc.record({ key, size: fc.nat() }), { maxLength: 300 })

async function pack(most: number, pages: Listed[][]): Promise<Listed[][]> {
  const tasks: Listed[][] = []
  const packer = new Packer(async (task) => void tasks.push(task))
  for (const page of pages) await packer.add(page, { most, delaySeconds: 0 })
  await packer.flush()
  return tasks
}

test('every object is in one task, in order; no task is above the count or the size that SQS takes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 100 }),
      fc.array(objects, { maxLength: 4 }),
      async (most, pages) => {
        const tasks = await pack(most, pages)
        expect(tasks.flat()).toEqual(pages.flat())
        for (const task of tasks) {
          expect(task.length).toBeGreaterThan(0)
          expect(task.length).toBeLessThanOrEqual(most)
          expect(encodeTask(newCopyTask('a.1', run, task)).length).toBeLessThanOrEqual(TASK_BYTES)
        }
      },
    ),
  )
})

test('1,000 keys of 1,024 escaped bytes are split by size, but for what they all begin with', async () => {
  const long = '\u0001'.repeat(1020)
  const numbers = Array.from({ length: 1000 }, (_, index) => String(index).padStart(4, '0'))
  const ends = await pack(1000, [numbers.map((number) => ({ key: number + long, size: 0 }))])
  expect(ends.length).toBeGreaterThan(20)
  const begins = await pack(1000, [numbers.map((number) => ({ key: long + number, size: 0 }))])
  expect(begins.length).toBe(1)
})

test('tasks that are full by size leave room for the longest places, and no more than that', async () => {
  const page = Array.from({ length: 30_000 }, (_, index) => ({ key: String(index), size: 1 }))
  const tasks = await pack(page.length, [page])
  expect(tasks.length).toBeGreaterThan(2)
  const sizes = tasks.map((task) => encodeTask(newCopyTask('a.1', run, task)).length)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(TASK_BYTES)
  expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(0.9 * TASK_BYTES)
})

test('tasks are full before another begins', async () => {
  const page = Array.from({ length: 1000 }, (_, index) => ({ key: `k${index}`, size: 1 }))
  expect((await pack(300, [page])).map(({ length }) => length)).toEqual([300, 300, 300, 100])
})

test('objects that take long are one worker’s work only up to 64 GiB', async () => {
  const page = Array.from({ length: 10 }, (_, index) => ({ key: `k${index}`, size: 30 * 2 ** 30 }))
  expect((await pack(250, [page])).map(({ length }) => length)).toEqual([2, 2, 2, 2, 2])
  expect((await pack(250, [[{ key: 'huge', size: 50e12 }]])).length).toBe(1)
})

test('each task is as large as was said for its first object, and shown as late as was said when it was sent', async () => {
  const tasks: { keys: string; delay: number }[] = []
  const packer = new Packer(
    async (task, delay) => void tasks.push({ keys: task.map(({ key }) => key).join(''), delay }),
  )
  const most = { a: 4, e: 1, f: 3 }
  for (const [index, key] of [...'abcdefghij'].entries())
    await packer.add([{ key, size: 1 }], {
      most: most[key as keyof typeof most] ?? 100,
      delaySeconds: index / 2,
    })
  await packer.flush()
  expect(tasks).toEqual([
    { keys: 'abcd', delay: 2 },
    { keys: 'e', delay: 2 },
    { keys: 'fgh', delay: 4 },
    { keys: 'ij', delay: 4 },
  ])
})
