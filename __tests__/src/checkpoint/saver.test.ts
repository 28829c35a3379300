import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Failure } from '../../../protocol/outcome.ts'
import { type Books, openBooks } from '../../../src/books.ts'
import { LEASE_MS, LeaseLostError, Saver } from '../../../src/checkpoint/saver.ts'
import type { Found } from '../../../src/checkpoint/store.ts'
import { Failures } from '../../../src/failures.ts'
import type { Delivery } from '../../../src/inbox.ts'
import { Ledger, type Settlement } from '../../../src/ledger.ts'
import { checkpointOf, FakeS3, named, runOf } from './support.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saver-'))
})
afterAll(() => rm(folder, { recursive: true }))

let reports = 0
async function open(s3: FakeS3, found: Found): Promise<Books & { report: string }> {
  const report = join(folder, `report-${reports++}`)
  return {
    ...(await openBooks(found.checkpoint, new Failures(report), s3.store().segments(found.checkpoint))),
    report,
  }
}

/** A run that a watcher has just got hold of. */
async function begin(s3: FakeS3, seeds = 1): Promise<Found> {
  const checkpoint = checkpointOf(runOf('r'), 'w0', 0, seeds)
  return { checkpoint, etag: (await s3.store().write(checkpoint, undefined)) as string }
}

/** Takes the run over, as attaching does. */
async function takeOver(s3: FakeS3, watcher: string): Promise<Found> {
  const found = (await s3.store().read()) as Found
  const checkpoint = { ...found.checkpoint, watcher: { id: watcher, name: watcher, until: 0 } }
  return { checkpoint, etag: (await s3.store().write(checkpoint, found.etag)) as string }
}

const failed = (key: string): Failure => ({ key, code: 'AccessDenied', message: 'no' })

describe('a saver', () => {
  const delivery = (removed: string[], ...bodies: string[]): Delivery => ({
    bodies,
    sentAt: 0,
    remove: async () => void removed.push(...bodies),
  })

  test('removes outcomes when they are saved, not before, and saves when it is time', async () => {
    const s3 = new FakeS3()
    const found = await begin(s3)
    const books = await open(s3, found)
    let now = 0
    const saver = new Saver(s3.store(), found, books, { now: () => now })
    const removed: string[] = []
    books.ledger.settle({ task: 'seed.0', totals: { listed: 3 } })
    const part = { prefix: 'a/', ranges: [{}] }
    books.unlisted.add('seed.0', { part, code: 'AccessDenied', message: 'no' })
    now = 9_999
    await saver.took(delivery(removed, 'a', 'b'))
    expect(removed).toEqual([])
    expect((await s3.store().read())?.checkpoint.ledger.totals.listed).toBe(0)
    now = 10_000
    await saver.took(delivery(removed))
    expect(removed).toEqual(['a', 'b'])
    expect((await s3.store().read())?.checkpoint).toMatchObject({
      ledger: { totals: { listed: 3 } },
      unlisted: [['seed.0', { part, code: 'AccessDenied' }]],
      watcher: { id: 'w0', until: now + LEASE_MS },
    })
    await saver.save()
    expect(removed).toEqual(['a', 'b'])
  })

  test('renews its lease though nothing comes, well before it is over', async () => {
    const s3 = new FakeS3()
    const found = await begin(s3)
    let now = 0
    const saver = new Saver(s3.store(), found, await open(s3, found), { now: () => now })
    for (; now < 10 * LEASE_MS; now += 20_000) {
      await saver.took(delivery([]))
      const until = (await s3.store().read())?.checkpoint.watcher.until ?? 0
      if (now > 30_000) expect(until - now).toBeGreaterThan(LEASE_MS / 2)
    }
  })

  test('does not let outcomes or failures pile up until the time comes', async () => {
    const s3 = new FakeS3()
    const found = await begin(s3)
    const books = await open(s3, found)
    const saver = new Saver(s3.store(), found, books, { now: () => 0 })
    const removed: string[] = []
    await saver.took(delivery(removed, ...Array.from({ length: 5_000 }, String)))
    expect(removed).toHaveLength(5_000)
    await books.failures.add('seed.0', [failed('x'.repeat(5_000_000))])
    await saver.took(delivery(removed, 'last'))
    expect(removed).toContain('last')
  })

  test('that has lost its lease says so, and removes nothing', async () => {
    const s3 = new FakeS3()
    const found = await begin(s3)
    const late = new Saver(s3.store(), found, await open(s3, found), { now: () => 1 })
    await takeOver(s3, 'w1')
    const removed: string[] = []
    await late.took(delivery(removed, 'a'))
    await expect(late.save()).rejects.toThrow(LeaseLostError)
    expect(removed).toEqual([])
    const taken = await s3.store().read()
    if (taken) await s3.store().remove(taken)
    await expect(late.save()).rejects.toThrow(LeaseLostError)
  })

  test('that could not write a segment writes it again, and names none that is not there', async () => {
    const s3 = new FakeS3()
    const found = await begin(s3)
    const books = await open(s3, found)
    const saver = new Saver(s3.store(), found, books, { now: () => 0 })
    await books.failures.add('seed.0', [failed('k')])
    s3.disturb = () => {
      throw named('ServiceUnavailable')
    }
    await expect(saver.save()).rejects.toThrow('ServiceUnavailable')
    s3.disturb = () => {}
    await saver.release()
    const next = await open(s3, await takeOver(s3, 'w1'))
    await next.failures.finish(() => true)
    expect(await readFile(next.report, 'utf8')).toContain('"key":"k"')
  })

  test('releases a run so that the next one need not wait', async () => {
    const s3 = new FakeS3()
    const found = await begin(s3)
    await new Saver(s3.store(), found, await open(s3, found), { now: () => 7 }).release()
    expect((await s3.store().read())?.checkpoint.watcher.until).toBe(7)
  })
})

/** An outcome on its way, and the objects that failed in it. */
type Outcome = Settlement & { failures: string[] }

/** The run queue: what was received and not removed comes again when its receiver is dead. */
class FakeQueue {
  readonly waiting: Outcome[]
  #hidden = new Set<Outcome>()

  constructor(outcomes: Outcome[]) {
    this.waiting = [...outcomes]
  }

  receive(most: number): Outcome[] {
    const taken = this.waiting.splice(0, most)
    for (const outcome of taken) this.#hidden.add(outcome)
    return taken
  }

  remove(outcomes: Outcome[]): void {
    for (const outcome of outcomes) this.#hidden.delete(outcome)
  }

  showAgain(): void {
    this.waiting.push(...this.#hidden)
    this.#hidden.clear()
  }
}

/** One life of the action: what it receives and how long that takes, until it crashes in one of its calls of AWS. */
type Life = {
  steps: { most: number; ms: number }[]
  crash: { call: number; moment: 'before' | 'after' }
  /** It is not dead, only slow: the next one has taken over when it goes on. */
  zombie: boolean
}

const CRASH = 'Crash'

const lives: fc.Arbitrary<Life[]> = fc.array(
  fc.record({
    steps: fc.array(fc.record({ most: fc.integer({ min: 0, max: 4 }), ms: fc.nat(20_000) }), {
      maxLength: 6,
    }),
    crash: fc.record({ call: fc.nat(8), moment: fc.constantFrom('before' as const, 'after' as const) }),
    zombie: fc.boolean(),
  }),
  { maxLength: 5 },
)

/** Outcomes of two seeds and their children, in any order, some of them twice. */
const deliveries: fc.Arbitrary<Outcome[]> = fc
  .array(fc.record({ children: fc.nat(4), failures: fc.nat(2), copies: fc.integer({ min: 1, max: 2 }) }), {
    minLength: 2,
    maxLength: 2,
  })
  .chain((seeds) => {
    const outcomes = seeds.flatMap(({ children, failures, copies }, index) => {
      const family = `a${index}`
      const seed: Outcome = {
        task: `seed.${index}`,
        totals: { listed: children * 10 },
        spawned: { attempt: family, children },
        failures: [],
      }
      const tasks = Array.from({ length: children }, (_, child): Outcome => {
        const keys = Array.from({ length: failures }, (_, number) => `${family}.${child}/${number}`)
        return {
          task: `${family}.${child}`,
          totals: { copied: 10 - keys.length, failed: keys.length },
          failures: keys,
        }
      })
      return [seed, ...tasks].flatMap((outcome) => Array.from({ length: copies }, () => ({ ...outcome })))
    })
    return fc.shuffledSubarray(outcomes, { minLength: outcomes.length })
  })

async function take(queue: FakeQueue, books: Books, saver: Saver, most: number): Promise<void> {
  const outcomes = queue.receive(most)
  for (const outcome of outcomes)
    if (books.ledger.settle(outcome)) await books.failures.add(outcome.task, outcome.failures.map(failed))
  await saver.took({
    bodies: outcomes.map(({ task }) => task),
    sentAt: 0,
    remove: async () => queue.remove(outcomes),
  })
}

async function ignoring(names: string[], what: () => Promise<void>): Promise<void> {
  try {
    await what()
  } catch (error) {
    if (!names.includes((error as Error).name)) throw error
  }
}

test('however often the action dies, wherever, the totals and the report are those of one that lived', async () => {
  await fc.assert(
    fc.asyncProperty(deliveries, lives, async (outcomes, story) => {
      const s3 = new FakeS3()
      const queue = new FakeQueue(outcomes)
      let now = 0
      let found = await begin(s3, 2)
      for (const [index, { steps, crash, zombie }] of story.entries()) {
        const books = await open(s3, found)
        const saver = new Saver(s3.store(), found, books, { now: () => now })
        let calls = 0
        s3.disturb = (moment) => {
          if (moment === 'before') calls++
          if (calls > crash.call && moment === crash.moment) throw named(CRASH)
        }
        await ignoring([CRASH], async () => {
          for (const { most, ms } of steps) {
            now += ms
            await take(queue, books, saver, most)
          }
        })
        s3.disturb = () => {}
        queue.showAgain()
        found = await takeOver(s3, `w${index + 1}`)
        if (zombie)
          await ignoring([LeaseLostError.name], async () => {
            await take(queue, books, saver, 2)
            await saver.save()
            throw new Error('a watcher went on without its lease')
          })
        queue.showAgain()
      }
      const books = await open(s3, found)
      const saver = new Saver(s3.store(), found, books, { now: () => now })
      while (queue.waiting.length > 0) await take(queue, books, saver, 3)

      const straight = new Ledger(2)
      for (const outcome of outcomes) straight.settle(outcome)
      expect(books.ledger.totals).toEqual(straight.totals)
      expect(books.ledger.done).toBe(true)
      await books.failures.finish((task) => books.ledger.counts(task))
      const lines = (await readFile(books.report, 'utf8')).split('\n').filter((line) => line !== '')
      const keys = lines.map((line) => (JSON.parse(line) as Failure).key)
      expect(keys.toSorted()).toEqual([...new Set(outcomes.flatMap(({ failures }) => failures))].sort())
    }),
    { numRuns: 300 },
  )
})
