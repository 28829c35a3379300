import { describe, expect, test } from '@jest/globals'
import { keysNamed } from '../../../bench/simulation/key-sets.ts'
import { simulateRun } from '../../../bench/simulation/run.ts'
import { seededRandom, VirtualTime } from '../../../bench/simulation/virtual-time.ts'
import { Pace } from '../../../lambda/copy/pace.ts'

const LIMIT = 3_500
const FROM_MS = 10_000
const UNTIL_MS = 30_000

/** Workers that share a partition: S3 takes so many copies a second, and refuses the rest. */
async function share(workers: number, limitAt: (ms: number) => number) {
  const time = new VirtualTime()
  const random = seededRandom(workers)
  let tokens = 0
  let last = 0
  const accept = () => {
    const limit = limitAt(time.now())
    tokens = Math.min(limit / 5, tokens + ((time.now() - last) / 1000) * limit)
    last = time.now()
    if (tokens < 1) return false
    tokens--
    return true
  }
  let copied = 0
  let refused = 0
  const paces = Array.from({ length: workers }, () => new Pace(time))
  const copyOn = async (pace: Pace) => {
    while (time.now() < UNTIL_MS)
      await pace.run(async () => {
        const accepted = accept()
        await time.sleep(accepted ? 60 + random() * 80 : 10 + random() * 10)
        pace.answered(!accepted)
        if (time.now() < FROM_MS || time.now() > UNTIL_MS) return
        if (accepted) copied++
        else refused++
      })
  }
  // A task of 250 objects keeps as many copies waiting for their turn.
  await time.run(Promise.all(paces.flatMap((pace) => Array.from({ length: 100 }, () => copyOn(pace)))))
  return { perSecond: copied / ((UNTIL_MS - FROM_MS) / 1000), refused: refused / (copied + refused) }
}

describe('workers that share a partition', () => {
  test.each([5, 10, 20, 50, 200])(
    '%i of them use at least 98 %% of it, with under 2 %% of refusals',
    async (workers) => {
      const { perSecond, refused } = await share(workers, () => LIMIT)
      expect(perSecond).toBeGreaterThan(0.98 * LIMIT)
      expect(perSecond).toBeLessThan(1.01 * LIMIT)
      expect(refused).toBeLessThan(0.02)
    },
  )

  test('they find a limit that has doubled, and one that has halved', async () => {
    const doubled = await share(20, (ms) => (ms < 1_000 ? LIMIT / 2 : LIMIT))
    expect(doubled.perSecond).toBeGreaterThan(0.6 * LIMIT)
    const halved = await share(20, (ms) => (ms < 9_000 ? LIMIT : LIMIT / 2))
    expect(halved.perSecond).toBeGreaterThan((0.9 * LIMIT) / 2)
    expect(halved.refused).toBeLessThan(0.05)
  })
})

test('a short run, all of it while workers still start, meets under 2 % of refusals', async () => {
  const keys = keysNamed('hex', 13_000)
  const shares: number[] = []
  for (const seed of [1, 2, 3]) {
    const scenario = {
      keys,
      prefix: '',
      partitions: 1,
      maxConcurrency: 50,
      batchSize: 250,
      seed,
      countLagMs: 2_000,
      duplicates: 0.001,
    }
    const { refusedShare, drainMs, floorMs } = await simulateRun(scenario)
    expect(drainMs).toBeLessThan(2.1 * floorMs)
    shares.push(refusedShare)
  }
  expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeLessThan(0.02)
})

test('a worker whose small tasks never needed its pace is cut from what it did', async () => {
  const time = new VirtualTime()
  const pace = new Pace(time)
  const copyTask = async (refusals: number) => {
    const copyOne = (index: number) =>
      pace.run(async () => {
        await time.sleep(100)
        pace.answered(index < refusals)
      })
    await Promise.all(Array.from({ length: 50 }, (_, index) => copyOne(index)))
    await time.sleep(150)
  }
  await time.run(
    (async () => {
      for (let task = 0; task < 40; task++) await copyTask(0)
      expect(pace.rate).toBeGreaterThan(1_000)
      for (let task = 0; task < 2; task++) await copyTask(10)
    })(),
  )
  // It did 50 in a quarter of a second; at most a few halvings of that.
  expect(pace.rate).toBeLessThan(200)
  expect(pace.rate).toBeGreaterThan(25)
})

test('a new worker is not cut to a crawl because refusals, which are fast, are its first answers', async () => {
  const time = new VirtualTime()
  const pace = new Pace(time)
  const copyOne = (index: number) =>
    pace.run(async () => {
      const refused = index < 3
      await time.sleep(refused ? 15 : 100)
      pace.answered(refused)
    })
  const started = pace.rate
  const copies = Promise.all(Array.from({ length: 10 }, (_, index) => copyOne(index)))
  await time.run(copies)
  expect(pace.rate).toBeGreaterThan(started / 3)
})

test('refusals that no pace can cure do not bring a worker to a halt', async () => {
  const time = new VirtualTime()
  const pace = new Pace(time)
  const random = seededRandom(3)
  let copied = 0
  const copyOn = async () => {
    while (time.now() < 60_000)
      await pace.run(async () => {
        await time.sleep(50)
        const refused = random() < 0.2
        pace.answered(refused)
        if (!refused) copied++
      })
  }
  await time.run(Promise.all(Array.from({ length: 20 }, copyOn)))
  expect(copied).toBeGreaterThan(60 * 8)
})

test('a worker alone is held back only by what it may have in flight', async () => {
  const { perSecond, refused } = await share(1, () => 1_000_000)
  expect(perSecond).toBeGreaterThan(900)
  expect(refused).toBe(0)
})

test('a fast worker waits a hundred times a second at most: a few copies go together', async () => {
  const time = new VirtualTime()
  const begun: number[] = []
  const waits: number[] = []
  const sleep = (ms: number) => {
    waits.push(time.now())
    return time.sleep(ms)
  }
  const pace = new Pace({ now: time.now, random: time.random, sleep })
  const copyOn = async () => {
    while (time.now() < 10_000)
      await pace.run(async () => {
        begun.push(time.now())
        await time.sleep(100)
        pace.answered(false)
      })
  }
  await time.run(Promise.all(Array.from({ length: 200 }, copyOn)))
  const inOneSecond = (times: number[]) => times.filter((at) => at >= 5_000 && at < 6_000).length
  expect(inOneSecond(begun)).toBeGreaterThan(1_500)
  expect(pace.rate).toBeGreaterThan(1_500)
  expect(inOneSecond(waits)).toBeLessThanOrEqual(101)
})
