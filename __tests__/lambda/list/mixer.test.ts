import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { VirtualTime } from '../../../bench/simulation/virtual-time.ts'
import { Mixer } from '../../../lambda/list/mixer.ts'
import { SharedListing } from '../../../lambda/list/shared-listing.ts'
import type { Listed } from '../../../protocol/task.ts'

const STAYS_MS = 20_000

/** What SQS says how many tasks wait, by the second. */
type Waiting = number | 'unknown' | ((second: number) => number)

type Sent = { at: number; objects: Listed[]; delay: number }

/** What is sent of so many objects in each round of a tenth of a second, and at the end. */
async function mix(
  rounds: string[][],
  {
    shares = 1,
    isFirst = false,
    batchSize = 250,
    began = 0,
    found = 0,
    sharedAfter = 0,
    waitingCopies = 100 as Waiting,
    waitingLists = 1 as Waiting,
    dispatchMs = 0,
    sendMs = 0,
  } = {},
) {
  const time = new VirtualTime()
  const sent: Sent[] = []
  const dispatched: number[] = []
  const listing = new SharedListing({ began, shares: sharedAfter > 0 ? 1 : shares, found }, time)
  const mixer = new Mixer({
    timing: time,
    batchSize,
    listing,
    isFirst,
    send: async (objects, delay) => {
      sent.push({ at: time.now(), objects, delay })
      if (sendMs > 0) await time.sleep(sendMs)
    },
    dispatch: async () => {
      dispatched.push(time.now())
      if (dispatchMs > 0) await time.sleep(dispatchMs)
    },
    waiting: async (kind) => {
      const waiting = kind === 'copy' ? waitingCopies : waitingLists
      if (waiting === 'unknown') return undefined
      return typeof waiting === 'number' ? waiting : waiting(time.now() / 1000)
    },
    until: STAYS_MS,
  })
  let foundAt = 0
  const run = async () => {
    for (const [index, keys] of rounds.entries()) {
      await time.sleep(100)
      if (index > 0 && index === sharedAfter) listing.shareWith(shares - 1)
      await mixer.add(keys.map((key) => ({ key, size: 1 })))
    }
    foundAt = time.now()
    await mixer.end()
  }
  await time.run(run())
  return { sent, dispatched, foundAt, endedAt: time.now(), isLarge: listing.isLarge }
}

const round = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}/${i}`)
const rounds = (names: string[], count: number) => names.map((name, i) => round(`${name}/${i}`, count))
const count = (sent: Sent[], name = '') =>
  sent.reduce((sum, { objects }) => sum + objects.filter(({ key }) => key.startsWith(name)).length, 0)
/** When a task is shown to workers, in seconds. */
const shownAt = ({ at, delay }: Sent) => at / 1000 + delay
const shownLast = ({ sent }: { sent: Sent[] }) => Math.max(...sent.map(shownAt))
const longest = ({ sent }: { sent: Sent[] }) => Math.max(...sent.map(({ delay }) => delay))

test('all that is found is sent once, in tasks that the run and SQS allow, whatever the clocks say', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(1500), { maxLength: 8 }),
      fc.record({
        shares: fc.integer({ min: 1, max: 20 }),
        isFirst: fc.boolean(),
        batchSize: fc.integer({ min: 1, max: 400 }),
        began: fc.integer({ min: -4_000_000, max: 60_000 }),
      }),
      async (counts, how) => {
        const found = counts.map((size, i) => round(String(i), size))
        const { sent } = await mix(found, how)
        const keys = sent.flatMap(({ objects }) => objects.map(({ key }) => key))
        expect(keys.sort()).toEqual(found.flat().sort())
        for (const { objects, delay } of sent) {
          expect(objects.length).toBeGreaterThan(0)
          expect(objects.length).toBeLessThanOrEqual(how.batchSize)
          expect(Number.isInteger(delay) && delay >= 0 && delay <= 900).toBe(true)
        }
      },
    ),
    { numRuns: 40 },
  )
})

test.each([
  ['few tasks hold much', 250, 'k', 1_000, false],
  ['so many tasks are to be sent', 1, 'k', 1_000, true],
  ['their keys are long', 250, 'k'.repeat(1_000), 3_500, true],
])(
  'no more should be found when what is held would not fit, or not leave in time: %s',
  async (_, batchSize, key, size, isFull) => {
    const time = new VirtualTime()
    const listing = new SharedListing({ began: 0, shares: 10, found: 0 }, time)
    const how = { batchSize, listing, isFirst: false, until: STAYS_MS, waiting: async () => 1_000 }
    const mixer = new Mixer({ timing: time, ...how, send: async () => {}, dispatch: async () => {} })
    expect(mixer.isFull).toBe(false)
    const objects = Array.from({ length: size }, () => ({ key, size: 1 }))
    for (let page = 0; page < 110; page++) await mixer.add(objects)
    expect(mixer.isFull).toBe(isFull)
  },
)

describe('of a source that may be small', () => {
  test('the first page leaves as it comes, in small tasks', async () => {
    const { sent } = await mix(rounds(['a', 'b'], 1000), { isFirst: true })
    const first = sent.filter(({ at }) => at === sent[0]?.at)
    expect(first.map(({ objects, delay }) => [objects.length, delay])).toEqual(Array(24).fill([40, 0]))
    expect(count(first, 'a/0')).toBe(960)
  })

  test('the pages behind it are sent no faster than one partition takes them, for they come from near it', async () => {
    const { sent, foundAt } = await mix(rounds(Array(30).fill('a'), 1000), { isFirst: true })
    const seconds = foundAt / 1000
    expect(count(sent.filter(({ at }) => at < foundAt))).toBeLessThan(1_000 + 3_500 * seconds)
  })

  test('all is sent when that was all, and nothing held back', async () => {
    const { sent, foundAt } = await mix(rounds(Array(13).fill('a'), 1000), { isFirst: true })
    const all = sent.filter(({ at }) => at <= foundAt)
    expect(count(all)).toBe(13_000)
    expect(all.every(({ delay }) => delay === 0)).toBe(true)
    // What came on the way was in full tasks: small ones make a queue look full.
    expect(all.filter(({ objects }) => objects.length === 40).length).toBeGreaterThan(150)
    expect(all.filter(({ at, objects }) => at > 200 && at < foundAt && objects.length <= 40)).toEqual([])
  })
})

test('copies begin at once, and are spread over the time that is left', async () => {
  const { sent, dispatched, foundAt } = await mix(rounds(Array(50).fill('a'), 2000), { shares: 10 })
  // Of a million objects in 60 s, a twelfth in 5 s; those that are found late have less time.
  const early = count(sent.filter(({ at }) => at < foundAt))
  expect(early).toBeGreaterThan(100_000 / 24)
  expect(early).toBeLessThan(100_000 / 12)
  expect(sent[0]?.at).toBeLessThan(1_500)
  expect(dispatched.length).toBeGreaterThan(10)
  for (const [from, to] of [
    [0, 18],
    [18, 36],
    [36, 54],
  ] as const) {
    const third = count(sent.filter(({ at, delay }) => at >= foundAt && delay >= from && delay < to))
    expect(third / (100_000 - early)).toBeCloseTo(18 / 55, 1)
  }
  expect(longest({ sent })).toBeLessThanOrEqual(55)
})

test('what is found late is not behind what was found before', async () => {
  const found = [...rounds(Array(30).fill('early'), 3000), ...rounds(Array(30).fill('late'), 1000)]
  const { sent, foundAt } = await mix(found, { shares: 10 })
  // A quarter of all is found late, and it makes a quarter of whatever is copied from then on.
  for (const [from, to] of [
    [0, 10],
    [20, 30],
    [40, 50],
  ] as const) {
    const some = sent.filter(({ at, delay }) => at >= foundAt && delay >= from && delay < to)
    expect(count(some, 'late') / count(some)).toBeCloseTo(0.25, 1)
    for (const { objects } of some.filter((task) => task.objects.length === 250))
      expect(new Set(objects.map(({ key }) => key.slice(0, 4))).size).toBe(2)
  }
})

test('most of what is sent comes from what was found last, which of the rest had no share so far', async () => {
  const found = [...rounds(Array(50).fill('early'), 8000), ...rounds(Array(50).fill('late'), 1000)]
  const { sent, foundAt } = await mix(found, { shares: 10 })
  const some = sent.filter(({ at }) => at > 6_000 && at < foundAt)
  // Of all that was found it is a ninth.
  expect(count(some, 'late') / count(some)).toBeGreaterThan(0.7)
  expect(count(some, 'late') / count(some)).toBeLessThan(0.85)
})

test('what was found before others came to share the listing is not what they have found', async () => {
  const found = [round('alone', 70_000), ...rounds(Array(5).fill('shared'), 100)]
  const how = { isFirst: true, shares: 10 }
  // One partition takes 20 s for what there is, and would take 60 and more if all had found as much.
  expect(longest(await mix(found, { ...how, sharedAfter: 1 }))).toBeLessThan(22)
  expect(longest(await mix(found, { ...how, isFirst: false }))).toBeGreaterThan(50)
})

test('what others had found before counts for a list task that takes over', async () => {
  const found = rounds(Array(5).fill('a'), 1000)
  expect(longest(await mix(found))).toBeLessThan(2)
  expect(longest(await mix(found, { found: 250_000, shares: 10 }))).toBeGreaterThan(50)
})

test('the tasks that are copied last are small', async () => {
  const { sent } = await mix(rounds(Array(20).fill('a'), 5000), { shares: 10 })
  const last = longest({ sent })
  const sizes = sent.filter(({ delay }) => delay === last).map(({ objects }) => objects.length)
  expect(Math.max(...sizes)).toBeLessThan(60)
  expect(sent.filter(({ objects }) => objects.length === 250).length).toBeGreaterThan(300)
})

test('the rest of an old listing is not in small tasks as a whole', async () => {
  const { sent } = await mix(rounds(Array(20).fill('a'), 5000), { shares: 100, began: -20_000_000 })
  expect(count(sent)).toBe(100_000)
  expect(sent.length).toBeLessThan(800)
})

test('of what is left at the end, each second’s tasks leave a few at a time, between those of other list tasks', async () => {
  const { sent } = await mix(rounds(Array(20).fill('a'), 20_000), { shares: 10 })
  const held = sent.filter(({ delay }) => delay > 0)
  const times = [...new Set(held.map(({ at }) => at))]
  expect(times.length).toBeGreaterThan(20)
  expect(Math.max(...times) - Math.min(...times)).toBeLessThan(1_000)
  for (const time of times) {
    const pass = held.filter(({ at }) => at === time)
    expect(count(pass) / count(held)).toBeCloseTo(1 / times.length, 2)
    expect(Math.max(...pass.map(({ delay }) => delay))).toBeGreaterThan(50)
  }
})

test('each second’s tasks are shown all over that second, however long what is left takes to send', async () => {
  // A tenth takes a second: in ten passes, each from the first to the last, a second's tasks would be together.
  const { sent } = await mix(rounds(['a'], 400_000), { shares: 5, sendMs: 5.6, waitingCopies: 1_000 })
  for (let second = 30; second < 55; second++) {
    const shown = sent.map(shownAt).filter((at) => at >= second && at < second + 1)
    for (const from of [0, 0.25, 0.5]) {
      const half = shown.filter((at) => at >= second + from && at < second + from + 0.5)
      expect(half.length / shown.length).toBeGreaterThan(0.15)
    }
  }
})

test('what is left at the end is shown by its time, however long it takes to send', async () => {
  const run = await mix(rounds(['a'], 200_000), { shares: 5, dispatchMs: 800 })
  expect(run.endedAt - run.foundAt).toBeGreaterThan(7_000)
  expect(shownLast(run)).toBeLessThanOrEqual(60)
  // As many in the last ten seconds as in any.
  const last = run.sent.filter((task) => shownAt(task) >= 50)
  expect(count(last) / 200_000).toBeCloseTo(10 / 60, 1)
})

test('the time that SQS takes is none that list tasks wait for in addition', async () => {
  const { sent, foundAt } = await mix(rounds(Array(5).fill('a'), 20_000), {
    shares: 10,
    began: -5_000,
    dispatchMs: 80,
  })
  const last = Math.max(...sent.map(({ at }) => at))
  expect(last - foundAt).toBeLessThan(1_000)
})

test.each([
  ['alone', { isFirst: true }, false],
  ['by its share', { shares: 13 }, true],
  ['beside what was found before', { found: 1_150_000 }, true],
])('whether a listing is large is told from what all have found: %s', async (_, how, isLarge) => {
  expect((await mix([round('a', 100_000)], how)).isLarge).toBe(isLarge)
})

test('what is left of a huge source is shown late, however few tasks wait: soon others hold theirs back as well', async () => {
  const how = { waitingCopies: 100, waitingLists: 1 }
  const shownEarly = async (shares: number) => {
    const { sent } = await mix(rounds(Array(50).fill('a'), 2000), { ...how, shares })
    return count(sent.filter((task) => shownAt(task) < 30)) / 100_000
  }
  expect(await shownEarly(29)).toBeGreaterThan(0.4)
  expect(await shownEarly(31)).toBeLessThan(0.25)
})

describe('while so many tasks wait that workers are far behind', () => {
  const found = rounds(Array(50).fill('a'), 2000)
  const how = { shares: 10, waitingCopies: 1_000 }

  test('little is sent, most of it late, and all by the same time as else', async () => {
    const run = await mix(found, how)
    // Of what is due by the cube of the time, an eighth is by half of it, and 58 % by five sixths.
    expect(count(run.sent.filter(({ at }) => at < run.foundAt))).toBeLessThan(2_500)
    expect(count(run.sent.filter((task) => shownAt(task) < 30)) / 100_000).toBeCloseTo(1 / 8, 1)
    expect(count(run.sent.filter((task) => shownAt(task) < 50)) / 100_000).toBeCloseTo(0.58, 1)
    expect(shownLast(run)).toBeGreaterThan(58)
    expect(shownLast(run)).toBeLessThanOrEqual(60)
  })

  test('the tasks that are copied last are small, and others are not', async () => {
    const { sent } = await mix(found, how)
    const last = sent.filter((task) => shownAt(task) >= 59).map(({ objects }) => objects.length)
    expect(Math.min(...last)).toBeLessThan(60)
    const early = sent.filter((task) => shownAt(task) < 40 && task.delay > 0)
    expect(early.length).toBeGreaterThan(50)
    expect(early.filter(({ objects }) => objects.length < 250).length).toBeLessThan(0.2 * early.length)
  })

  test('a list task that has found all stays, for it sees when they no longer are', async () => {
    const stayed = await mix(found, { ...how, waitingLists: 0 })
    expect(stayed.endedAt).toBeGreaterThan(STAYS_MS - 1_500)
    expect(stayed.endedAt).toBeLessThan(STAYS_MS + 1_500)
    const left = await mix(found, { ...how, waitingLists: 1 })
    expect(left.endedAt - left.foundAt).toBeLessThan(1_500)
    // What it sends meanwhile is what would be shown.
    for (const by of [30, 40, 50])
      expect(
        count(stayed.sent.filter((task) => shownAt(task) < by)) -
          count(left.sent.filter((task) => shownAt(task) < by)),
      ).toBeLessThan(3_000)
  })
})

describe('when a list task has found all', () => {
  const found = rounds(Array(50).fill('a'), 2000)
  const how = { shares: 10, waitingLists: 0 }

  test('it stays as long as workers wait for tasks, and sends more than is due', async () => {
    const hungry = await mix(found, { ...how, waitingCopies: 0 })
    expect(hungry.endedAt).toBeGreaterThan(STAYS_MS - 1_500)
    expect(hungry.endedAt).toBeLessThan(STAYS_MS + 1_500)
    expect(count(hungry.sent)).toBe(100_000)
    const [stayed, left] = [shownLast(hungry), shownLast(await mix(found, { ...how, waitingLists: 1 }))]
    expect(left).toBeGreaterThan(58)
    expect(stayed).toBeLessThan(0.8 * left)
  })

  test('it stays no longer than it has something to send', async () => {
    const { endedAt, foundAt } = await mix(rounds(Array(10).fill('a'), 300), { ...how, waitingCopies: 0 })
    expect(endedAt - foundAt).toBeLessThan(15_000)
  })

  test.each([
    ['enough tasks wait', 100],
    ['nobody can tell how many wait', 'unknown'],
  ] as const)('the rest is held back as planned when %s', async (_, waitingCopies) => {
    expect(shownLast(await mix(found, { ...how, waitingCopies }))).toBeGreaterThan(55)
  })

  test('it stays although enough tasks wait, for they may become too few', async () => {
    const dried = await mix(found, { ...how, waitingCopies: (second) => (second < 14 ? 100 : 0) })
    expect(dried.endedAt).toBeGreaterThan(STAYS_MS - 1_500)
    expect(shownLast(dried)).toBeLessThan(40)
  })

  test('tasks are due as evenly as if it had left when enough tasks waited', async () => {
    const calm = await mix(found, { ...how, waitingCopies: (second) => (second < 14 ? 100 : 1_000) })
    const left = await mix(found, { ...how, waitingLists: 1 })
    for (const by of [20, 30, 40, 50])
      expect(
        Math.abs(
          count(calm.sent.filter((task) => shownAt(task) < by)) -
            count(left.sent.filter((task) => shownAt(task) < by)),
        ),
      ).toBeLessThan(3_000)
  })

  test.each([
    ['other list tasks wait for a function', 1],
    ['nobody can tell whether they do', 'unknown'],
  ] as const)('it leaves at once when %s', async (_, waitingLists) => {
    const { endedAt, foundAt } = await mix(found, { ...how, waitingCopies: 0, waitingLists })
    expect(endedAt - foundAt).toBeLessThan(1_500)
  })

  test('it stays when they wait only because Lambda has started few functions yet', async () => {
    const short = rounds(Array(20).fill('a'), 2000)
    const waitingLists = (second: number) => (second < 4 ? 3 : 0)
    const { endedAt } = await mix(short, { ...how, waitingCopies: 0, waitingLists })
    expect(endedAt).toBeGreaterThan(10_000)
  })
})
