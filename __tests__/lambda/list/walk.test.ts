import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { foldersOf, indexAfter, keysNamed } from '../../../bench/simulation/key-sets.ts'
import { walk } from '../../../lambda/list/walk.ts'
import { compareKeys } from '../../../protocol/key.ts'
import type { Range } from '../../../protocol/range.ts'
import { anyKey, likeKeys } from '../../protocol/keys.ts'
import { inRange } from '../../support/range.ts'
import { list } from './bucket.ts'
import { pageOf } from './simulate.ts'

const numbers = (count: number) =>
  new Set(Array.from({ length: count }, (_, i) => String(i).padStart(6, '0')))
const sorted = (keys: Iterable<string>) => [...keys].sort(compareKeys)

describe('a small bucket', () => {
  test.each([
    [0, 1],
    [1, 1],
    [999, 1],
    [1000, 1],
    [1001, 2],
  ])('of %d keys takes %d requests and no other task', async (count, requests) => {
    const keys = numbers(count)
    const listing = await list(keys, [{}])
    expect(listing.emitted.flat()).toEqual([...keys])
    expect([listing.requests, listing.spawned.length]).toEqual([requests, 0])
  })
})

describe('the ends of a range', () => {
  test('the first is left out, the last listed', async () => {
    const { emitted, requests } = await list(numbers(5000), [{ after: '000010', upTo: '001010' }])
    expect([emitted.flat().length, emitted.flat()[0], emitted.flat().at(-1), requests]).toEqual([
      1000,
      '000011',
      '001010',
      1,
    ])
  })

  test('nothing is asked for behind a page that reaches beyond the last', async () => {
    const { emitted, requests } = await list(numbers(5000), [{ after: '000010', upTo: '0005' }])
    expect([emitted.flat().length, requests]).toEqual([489, 1])
  })

  test('an empty range is not asked for', async () => {
    expect((await list(numbers(10), [{ after: '000005', upTo: '000005' }])).requests).toBe(0)
  })

  test('a key that equals the prefix is listed, once', async () => {
    const keys = new Set(['a', 'a/', 'a/b', 'a/b/', 'a/é', 'a0'])
    const expected = [['a/', 'a/b', 'a/b/', 'a/é']]
    expect((await list(keys, [{}], 'a/')).emitted).toEqual(expected)
  })
})

test('a walk whose time is up hands the rest on', async () => {
  const keys = numbers(4500)
  const { emitted, spawned } = await list(keys, [{ upTo: '009999' }], '', { isLate: () => true })
  expect(emitted.flat()).toEqual([...keys])
  expect(spawned[0]?.[0]?.after).toBe('000999')
  expect(spawned.length).toBeGreaterThan(1)
})

test('pages may be short or empty with more to come', async () => {
  const sizes = [0, 3, 0, 0, 1000, 1]
  let i = 0
  const keys = numbers(3000)
  const { emitted } = await list(keys, [{}], '', { pageSize: () => sizes[i++ % sizes.length] as number })
  expect(emitted.flat()).toEqual([...keys])
})

test('a stretch without keys is gone on with where S3 had come to, by one task after another', async () => {
  const waiting: Range[][] = [[{}]]
  const emitted: string[] = []
  let requests = 0
  let tasks = 0
  for (let ranges = waiting.pop(); ranges !== undefined; ranges = waiting.pop()) {
    tasks++
    await walk<{ key: string }>(ranges, {
      prefix: '',
      folders: async () => ({ folders: [], hasKeys: true }),
      page: async ({ token = '0' }) => {
        requests++
        const place = Number(token)
        return place < 30 ? { objects: [], token: String(place + 1) } : { objects: [{ key: 'z' }] }
      },
      emit: async (pages) =>
        void emitted.push(...pages.flatMap(({ objects }) => objects).map(({ key }) => key)),
      spawn: async (hands) => void waiting.push(...hands),
      isLarge: () => false,
      isHuge: () => false,
      isLate: () => true,
    })
  }
  expect([emitted, requests]).toEqual([['z'], 31])
  // None goes on when its time is up.
  expect(tasks).toBe(31)
})

test('a walk that fails leaves nothing running and takes objects one round at a time', async () => {
  const keys = keysNamed('hex', 1_000_000)
  let requests = 0
  let running = 0
  let emitting = 0
  let most = 0
  const walking = walk<{ key: string }>([{}], {
    prefix: '',
    folders: async (folder, startAfter) => foldersOf(keys, folder, startAfter),
    page: async ({ startAfter, token }) => {
      running++
      await setTimeout(1)
      running--
      if (++requests === 18) throw new Error('refused')
      return pageOf(keys, token ? Number(token) : indexAfter(keys, startAfter ?? ''))
    },
    emit: async () => {
      most = Math.max(most, ++emitting)
      await setTimeout(1)
      emitting--
    },
    spawn: async () => {},
    isLarge: () => false,
    isHuge: () => false,
    isLate: () => false,
  })
  await expect(walking).rejects.toThrow('refused')
  expect({ running, emitting, most }).toEqual({ running: 0, emitting: 0, most: 1 })
  const before = requests
  await setTimeout(20)
  expect(requests).toBe(before)
})

test('what was listed beside a range that fails is emitted', async () => {
  const emitted: string[] = []
  const walking = walk<{ key: string }>([{ upTo: 'b' }, { after: 'b' }], {
    prefix: '',
    folders: async () => ({ folders: [], hasKeys: true }),
    page: async ({ startAfter }) => {
      if (startAfter === 'b') throw new Error('refused')
      return { objects: [{ key: 'a' }], token: 'more' }
    },
    emit: async (pages) =>
      void emitted.push(...pages.flatMap(({ objects }) => objects).map(({ key }) => key)),
    spawn: async () => {},
    isLarge: () => false,
    isHuge: () => false,
    isLate: () => false,
  })
  await expect(walking).rejects.toThrow('refused')
  expect(emitted).toEqual(['a'])
})

describe('whatever the keys, the pages and the guesses', () => {
  /** Keys of which some stay and some come and go, and whims that come from a seed. */
  const bucket = fc.record({
    stay: fc.uniqueArray(fc.oneof(likeKeys(), anyKey()), { minLength: 100, maxLength: 400 }),
    change: fc.uniqueArray(likeKeys(), { maxLength: 60 }),
    prefix: fc.constantFrom('', '日/', 'a+'),
    largest: fc.integer({ min: 1, max: 3 }),
    whims: fc.infiniteStream(fc.nat()),
    lateness: fc.constantFrom(0, 40),
  })

  test('each key that stays is listed once, in order, and no key twice', async () => {
    let splits = 0
    await fc.assert(
      fc.asyncProperty(bucket, async ({ stay, change, prefix, largest, whims, lateness }) => {
        const next = (below: number) => (whims.next().value as number) % below
        const steady = new Set(stay.map((key) => prefix + key))
        const passing = change.map((key) => prefix + key).filter((key) => !steady.has(key))
        const { emitted, spawned } = await list(new Set(steady), [{}], prefix, {
          pageSize: () => next(largest + 1),
          folderSize: () => 1 + next(6),
          forgets: () => next(8) === 0,
          isLate: () => lateness > 0 && next(lateness) === 0,
          isLarge: () => next(2) === 0,
          isHuge: () => next(2) === 0,
          pick: next,
          change: (keys) => {
            if (passing.length === 0) return
            const key = passing[next(passing.length)] as string
            if (!keys.delete(key)) keys.add(key)
          },
        })
        const listed = emitted.flat()
        expect(listed.filter((key) => steady.has(key))).toEqual(sorted(steady))
        expect(new Set(listed).size).toBe(listed.length)
        expect(listed).toEqual(sorted(listed))
        splits += spawned.length
      }),
      { numRuns: 150 },
    )
    expect(splits).toBeGreaterThan(100)
  })

  test('ranges side by side, of one task or of several, list each key of theirs once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(likeKeys(), { minLength: 1, maxLength: 200 }),
        fc.uniqueArray(likeKeys(), { minLength: 2, maxLength: 6 }),
        fc.boolean(),
        async (keys, cuts, together) => {
          const ends = sorted(cuts)
          const seeds: Range[] = ends.slice(1).map((upTo, i) => ({ after: ends[i], upTo }))
          const { emitted } = await list(new Set(keys), seeds, '', { pageSize: () => 2, together })
          const whole = { after: ends[0], upTo: ends.at(-1) }
          expect(emitted.flat()).toEqual(sorted(keys).filter((key) => inRange(key, whole)))
        },
      ),
    )
  })
})
