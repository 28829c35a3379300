import { describe, expect, test } from '@jest/globals'
import {
  hex,
  isoHour,
  KEY_SETS,
  type KeySet,
  keySet,
  keysNamed,
  mix,
  pad,
} from '../../../bench/simulation/key-sets.ts'
import { type Simulated, simulate } from './simulate.ts'

const MILLION = 1_000_000

/** Every key was emitted once: the stretches of indexes tile the key set. */
function expectTiled({ emitted }: Simulated, { size }: KeySet): void {
  let end = 0
  for (const stretch of emitted.toSorted((a, b) => a[0] - b[0])) {
    expect(stretch[0]).toBe(end)
    end = stretch[1]
  }
  expect(end).toBe(size)
}

describe.each(Object.keys(KEY_SETS))('%s', (name) => {
  test('a million keys: few requests, a shallow tree of tasks, all within 20 s', async () => {
    const keys = keysNamed(name, MILLION)
    const run = await simulate(keys)
    expectTiled(run, keys)
    expect(run.requests).toBeLessThanOrEqual((1.15 * MILLION) / 1000)
    expect(run.ms).toBeLessThan(20_000)
    expect(run.depth).toBeLessThanOrEqual(Math.log2(MILLION / 1000))
  })

  test('13,000 keys: a few dozen requests, though nothing is known of where keys lie', async () => {
    const keys = keysNamed(name, 13_000)
    const run = await simulate(keys)
    expectTiled(run, keys)
    expect(run.requests).toBeLessThanOrEqual(13 + 36)
  })
})

test('folders between keys that crowd the same level are found, though S3 names a thousand of those keys first', async () => {
  const keys = keysNamed('ASCII, CJK, private use and emoji', MILLION)
  // Cut by letters alone, most of these folders would be found one after another, in 18 s. Full of keys as they are, each
  // has to be cut within, not up to the next, where there are no keys: 12 s.
  expect((await simulate(keys)).ms).toBeLessThan(9_000)
})

test('homes of users, of whom a few have most: what the first of them costs does not leave the rest to one task', async () => {
  const homes = Array.from({ length: 3_000 }, (_, user) =>
    Array.from({ length: 1 + Math.floor(40_000 / (1 + (mix(user) % 3_000))) }, (_, photo) => {
      const name = `${2010 + (photo % 14)}/IMG_${pad(photo, 6)}.jpg`
      return `home/user${mix(user) % 100_000}-${user}/photos/${name}`
    }),
  )
  const keys = keySet(homes.flat().sort())
  const run = await simulate(keys)
  expectTiled(run, keys)
  expect(run.requests).toBeLessThanOrEqual((1.2 * keys.size) / 1000)
  expect(run.ms).toBeLessThan(18_000)
})

test('devices of which a few send most: what is behind such a one is found before it is listed to its end', async () => {
  const chance = (index: number) => mix(index) / 2 ** 32
  const names = Array.from({ length: MILLION }, (_, i) => {
    const kind = ['sensor', 'gateway', 'camera'][Math.floor(3 ** chance(i)) - 1]
    const device = mix(Math.floor(3_000 ** chance(i + 9)) - 1) % 2 ** 24
    return `iot/${kind}-${hex(device, 6)}/${1.6e12 + (mix(i + 1) % 1e9)}${i}.bin`
  })
  const keys = keySet(names.sort())
  const run = await simulate(keys)
  expectTiled(run, keys)
  expect(run.requests).toBeLessThanOrEqual((1.15 * keys.size) / 1000)
  expect(run.ms).toBeLessThan(17_000)
})

test('hours of days, each full of files: many guesses at once are wrong together', async () => {
  const names = Array.from({ length: MILLION }, (_, i) => {
    const day = isoHour(i, MILLION, 2022, 900).slice(0, 10)
    const file = `part-${pad(i % 200, 5)}-${hex(mix(i), 8)}-${hex(mix(i + 7e8), 8)}.snappy.parquet`
    return `warehouse/events/dt=${day}/hour=${pad(mix(i) % 24, 2)}/${file}`
  })
  const keys = keySet(names.sort())
  const run = await simulate(keys)
  expectTiled(run, keys)
  expect(run.requests).toBeLessThanOrEqual((1.15 * keys.size) / 1000)
})

test('thousands of tenants: a page of a few of them does not make all that follow short', async () => {
  const keys = keysNamed('tenants of unequal size', 3 * MILLION)
  // One task was left with four fifths of all keys, which were taken for a page: 36 s.
  expect((await simulate(keys)).ms).toBeLessThan(25_000)
})

test('millions of keys: more guesses are made, and looks for where keys lie, since they save time', async () => {
  const keys = keysNamed('deep tree', 5 * MILLION)
  const run = await simulate(keys)
  // As careful as with a million, it would take 17 s; as with two, 14.
  expect(run.ms).toBeLessThan(13_800)
  expect(run.requests).toBeLessThanOrEqual((1.25 * keys.size) / 1000)
})

test('where guesses find keys, more of them are made at once than may be wasted', async () => {
  // A deep tree would take a second more if each were counted as wrong.
  expect((await simulate(keysNamed('deep tree', MILLION))).ms).toBeLessThan(10_000)
})

test('a part that turns out much longer than the others is shared again soon', async () => {
  const keys = keysNamed('hot directory at the end', MILLION)
  // The task that got its end would list it alone for three seconds more.
  expect((await simulate(keys)).ms).toBeLessThan(6_500)
})

test('a folder of very many folders is cut all over at once, by letters that only the names of those hold', async () => {
  // By the letters of the first page the listing would feel its way forward, and be done in 6 s.
  expect((await simulate(keysNamed('emoji folders', MILLION))).ms).toBeLessThan(4_500)
})

test('a month of which a page or two are left is not cut into its days', async () => {
  const keys = keysNamed('dates', 13_000)
  const run = await simulate(keys)
  expectTiled(run, keys)
  expect(run.requests).toBeLessThanOrEqual(13 + 15)
})

test.each([
  // Among a thousand others, and behind keys of which nothing tells how many follow: each took a second more.
  ['one hot directory', 2_000],
  ['hot directory at the end', 1_500],
])('%s: it is shared as soon as the listing has come to it', async (name, ms) => {
  const keys = keysNamed(name, MILLION)
  expect((await simulate(keys)).sharedMs).toBeLessThan(ms)
})

test('keys are in order in each key set', () => {
  for (const make of Object.values(KEY_SETS)) {
    const { size, at } = make(20_000)
    for (let i = 1; i < size; i += 7)
      expect(Buffer.compare(Buffer.from(at(i - 1)), Buffer.from(at(i)))).toBe(-1)
  }
})

test('an upper part that is empty again and again costs few requests', async () => {
  const folder = 'x/'.repeat(200)
  const keys = { size: 60_000, at: (index: number) => folder + pad(index, 6) }
  const run = await simulate(keys)
  expectTiled(run, keys)
  expect(run.requests).toBeLessThanOrEqual(60 + 36)
})

test('folders in folders without end cost time, not requests', async () => {
  const names = Array.from({ length: 100 }, (_, depth) => 'c'.repeat(depth))
  const keys = {
    size: 200_000,
    at: (index: number) => `${names[Math.floor(index / 2000)]}b${pad(index % 2000, 4)}`,
  }
  const run = await simulate(keys)
  expectTiled(run, keys)
  expect(run.requests).toBeLessThanOrEqual(1.25 * 200)
})
