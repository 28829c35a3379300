import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Ledger, type LedgerSnapshot, type Settlement } from '../../src/ledger.ts'
import type { Totals } from '../../src/totals.ts'

const outcome = (
  task: string,
  totals: Partial<Totals>,
  attempt = `of-${task.replace('.', '-')}`,
  children = 0,
) => ({ task, totals, spawned: { attempt, children } }) satisfies Settlement
const dead = (task: string, deadObjects: number): Settlement => ({
  task,
  totals: { deadTasks: 1, deadObjects },
})

describe('the ledger', () => {
  test('a run without tasks is done at once', () => {
    expect(new Ledger(0).done).toBe(true)
  })

  test('counts the first outcome of a task and no other', () => {
    const ledger = new Ledger(1)
    expect(ledger.settle(outcome('seed.0', { listed: 2 }))).toBe(true)
    expect(ledger.settle(outcome('seed.0', { listed: 2 }))).toBe(false)
    expect(ledger.settle(outcome('seed.0', { listed: 5 }, 'second', 3))).toBe(false)
    expect(ledger.totals.listed).toBe(2)
    expect(ledger.done).toBe(true)
  })

  test('waits for the children that an outcome names', () => {
    const ledger = new Ledger(1)
    ledger.settle(outcome('seed.0', { listed: 3 }, 'a', 2))
    expect(ledger.open).toBe(2)
    ledger.settle(outcome('a.1', { copied: 1 }))
    expect(ledger.done).toBe(false)
    ledger.settle(outcome('a.0', { copied: 2 }))
    expect(ledger.done).toBe(true)
    expect(ledger.totals).toMatchObject({ listed: 3, copied: 3 })
  })

  test('holds what children say until their parent names them, grandchildren too', () => {
    const ledger = new Ledger(1)
    ledger.settle(outcome('b.0', { copied: 1 }))
    ledger.settle(outcome('a.0', { listed: 1 }, 'b', 1))
    expect(ledger.totals).toMatchObject({ listed: 0, copied: 0 })
    expect(ledger.counts('b.0')).toBe(false)
    ledger.settle(outcome('seed.0', {}, 'a', 1))
    expect(ledger.totals).toMatchObject({ listed: 1, copied: 1 })
    expect(ledger.counts('b.0')).toBe(true)
    expect(ledger.done).toBe(true)
  })

  test('leaves out the children of an attempt that died before its outcome', () => {
    const ledger = new Ledger(1)
    ledger.settle(outcome('died.0', { copied: 7 }))
    ledger.settle(outcome('seed.0', { listed: 4 }, 'lived', 1))
    ledger.settle(outcome('lived.0', { copied: 4 }))
    expect(ledger.totals).toMatchObject({ listed: 4, copied: 4 })
    expect(ledger.done).toBe(true)
  })

  test('a dead letter settles its task, whatever comes later', () => {
    const ledger = new Ledger(2)
    ledger.settle(dead('seed.0', 9))
    ledger.settle(outcome('seed.0', { copied: 9 }))
    ledger.settle(outcome('seed.1', { copied: 1 }))
    ledger.settle(dead('seed.1', 1))
    expect(ledger.totals).toMatchObject({ deadTasks: 1, deadObjects: 9, copied: 1 })
    expect(ledger.done).toBe(true)
  })

  test.each(['seed.2', 'seed.-1', 'seed', '', 'seed.x', 'a b.0', 'seed.99999999999', 'a.10000000'])(
    'ignores %j, which is no task of the run',
    (task) => {
      const ledger = new Ledger(2)
      expect(ledger.settle(outcome(task, { copied: 1 }))).toBe(false)
      expect(ledger.counts(task)).toBe(false)
      expect(ledger.open).toBe(2)
    },
  )

  test('counts each child once, whichever of many comes first', () => {
    const ledger = new Ledger(1)
    for (const index of [1_000, 1_000, 3, 70, 1_000, 70]) ledger.settle(outcome(`a.${index}`, { copied: 1 }))
    ledger.settle(outcome('seed.0', {}, 'a', 2_000))
    expect(ledger.totals.copied).toBe(3)
    expect(ledger.open).toBe(1_997)
  })

  test('adopts no family twice, whatever outcomes say', () => {
    const ledger = new Ledger(3)
    ledger.settle(outcome('seed.0', {}, 'seed', 9))
    expect([ledger.open, ledger.settled]).toEqual([2, 1])
  })

  test('names like those of Object.prototype are names like any other', () => {
    const ledger = new Ledger(1)
    ledger.settle(outcome('seed.0', {}, 'constructor', 1))
    ledger.settle(outcome('constructor.0', { copied: 1 }, '__proto__', 1))
    ledger.settle(outcome('__proto__.0', { copied: 1 }))
    expect(ledger.totals.copied).toBe(2)
    expect(ledger.done).toBe(true)
  })
})

/** A task as it really went: what each attempt at it did, and whether it ended in the DLQ. */
type Story = { attempts: Attempt[]; deadObjects: number | undefined }
type Attempt = { reported: number; totals: Partial<Totals>; children: Story[] }

/** Stories of tasks whose children go so many generations deep. */
function stories(generations: number): fc.Arbitrary<Story[]> {
  const attempt = fc.record({
    /** How often its outcome is delivered; an attempt that crashed reports nothing. */
    reported: fc.nat(3),
    totals: fc.record({
      listed: fc.nat(9),
      copied: fc.nat(9),
      failed: fc.nat(3),
      skipped: fc.nat(3),
      vanished: fc.nat(3),
      bytes: fc.nat(99),
    }),
    children: generations === 0 ? fc.constant<Story[]>([]) : stories(generations - 1),
  })
  const story = fc.record({
    attempts: fc.array(attempt, { maxLength: 3 }),
    deadObjects: fc.option(fc.nat(9), { nil: undefined, freq: 4 }),
  })
  return fc.array(story, { maxLength: 3 })
}

/** All that the run queue and the DLQ will ever say of some tasks. A task that would never be heard of goes to the DLQ. */
function eventsOf(family: string, stories: Story[], nextId = counter()): Settlement[] {
  return stories.flatMap(({ attempts, deadObjects }, index) => {
    const task = `${family}.${index}`
    const heard = attempts.some(({ reported }) => reported > 0)
    const events = attempts.flatMap(({ reported, totals, children }) => {
      const attempt = `t${nextId()}`
      const said = outcome(task, totals, attempt, children.length)
      return [...Array.from({ length: reported }, () => said), ...eventsOf(attempt, children, nextId)]
    })
    if (deadObjects !== undefined || !heard) events.push(dead(task, deadObjects ?? 0))
    return events
  })
}

function counter(): () => number {
  let count = 0
  return () => count++
}

/** The reference: walks the tree from the seeds, taking the first thing said of each task. */
function walk(seeds: number, events: Settlement[]) {
  const first = new Map<string, Settlement>()
  for (const event of events) if (!first.has(event.task)) first.set(event.task, event)
  const sum: Partial<Totals> = {}
  let open = 0
  const visit = (family: string, count: number): void => {
    for (let index = 0; index < count; index++) {
      const event = first.get(`${family}.${index}`)
      if (!event) {
        open++
        continue
      }
      for (const [name, value] of Object.entries(event.totals) as [keyof Totals, number][])
        sum[name] = (sum[name] ?? 0) + value
      if (event.spawned) visit(event.spawned.attempt, event.spawned.children)
    }
  }
  visit('seed', seeds)
  return { sum, open }
}

describe('over at-least-once delivery in any order', () => {
  const cases = stories(2)
    .filter((seeds) => seeds.length > 0)
    .chain((seeds) => {
      const events = eventsOf('seed', seeds)
      return fc.record({
        seeds: fc.constant(seeds.length),
        events: fc.shuffledSubarray(events, { minLength: events.length }),
      })
    })

  test('totals and open tasks equal those of a walk of the tree, after every event', () => {
    fc.assert(
      fc.property(cases, ({ seeds, events }) => {
        const ledger = new Ledger(seeds)
        events.forEach((event, index) => {
          ledger.settle(event)
          const { sum, open } = walk(seeds, events.slice(0, index + 1))
          expect(ledger.totals).toEqual({ ...new Ledger(0).totals, ...sum })
          expect(ledger.open).toBe(open)
        })
      }),
      { numRuns: 300 },
    )
  })

  test('says done exactly once, never early, and always in the end', () => {
    fc.assert(
      fc.property(cases, ({ seeds, events }) => {
        const ledger = new Ledger(seeds)
        const said = events.map((event) => {
          ledger.settle(event)
          return ledger.done
        })
        const first = said.indexOf(true)
        expect(first).toBeGreaterThanOrEqual(0)
        expect(said.slice(first)).not.toContain(false)
        const rest = events.slice(first + 1)
        const totals = { ...ledger.totals }
        for (const event of rest) ledger.settle(event)
        expect(ledger.totals).toEqual(totals)
      }),
    )
  })

  test('a ledger that is written down and read again at any time counts on as if nothing had been', () => {
    fc.assert(
      fc.property(cases, fc.array(fc.nat(30)), ({ seeds, events }, restarts) => {
        let ledger = new Ledger(seeds)
        const straight = new Ledger(seeds)
        events.forEach((event, index) => {
          if (restarts.includes(index))
            ledger = Ledger.from(JSON.parse(JSON.stringify(ledger.snapshot())) as LedgerSnapshot)
          expect(ledger.settle(event)).toBe(straight.settle(event))
          expect(ledger.totals).toEqual(straight.totals)
          expect([ledger.open, ledger.settled, ledger.done]).toEqual([
            straight.open,
            straight.settled,
            straight.done,
          ])
          expect(ledger.counts(event.task)).toBe(straight.counts(event.task))
        })
      }),
      { numRuns: 300 },
    )
  })
})

test('a snapshot is as small as the ledger: bits for open tasks, a number for what is settled', () => {
  const ledger = new Ledger(1)
  ledger.settle(outcome('seed.0', {}, 'a', 2_000_000))
  for (let index = 0; index < 1_999_999; index++)
    ledger.settle({ task: `a.${index}`, totals: { copied: 250 } })
  const open = JSON.stringify(ledger.snapshot()).length
  expect(open).toBeLessThan(500_000)
  const before = ledger.snapshot()
  ledger.settle({ task: 'a.1999999', totals: { copied: 250 } })
  expect(JSON.stringify(ledger.snapshot()).length).toBeLessThan(1_000)
  expect(Ledger.from(before).open).toBe(1)
})

test('a snapshot stays as it is while the ledger counts on', () => {
  const ledger = new Ledger(3)
  ledger.settle(outcome('seed.0', {}, 'a', 2))
  ledger.settle(outcome('b.0', { copied: 1 }, 'c', 1))
  const snapshot = ledger.snapshot()
  const before = JSON.stringify(snapshot)
  ledger.settle(outcome('a.0', { copied: 1 }))
  ledger.settle(outcome('b.1', { copied: 1 }, 'd', 1))
  expect(JSON.stringify(snapshot)).toBe(before)
})

test('a snapshot is as small when all children settle before their parent does', () => {
  const ledger = new Ledger(1)
  for (let index = 0; index < 100_000; index++) ledger.settle({ task: `a.${index}`, totals: { copied: 250 } })
  ledger.settle(outcome('seed.0', {}, 'a', 100_000))
  expect(ledger.done).toBe(true)
  expect(JSON.stringify(ledger.snapshot()).length).toBeLessThan(1_000)
})

test('memory grows with tasks, a bit each, not with objects', () => {
  const before = process.memoryUsage().arrayBuffers
  const ledger = new Ledger(1)
  ledger.settle(outcome('seed.0', { listed: 250_000_000 }, 'a', 1_000_000))
  for (let index = 0; index < 1_000_000; index++)
    ledger.settle({ task: `a.${index}`, totals: { copied: 250 } })
  expect(ledger.totals.copied).toBe(250_000_000)
  expect(ledger.done).toBe(true)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
})

test('an attempt whose children are all settled costs little more than its name', () => {
  const families = 50_000
  const held = heapAfterGc()
  const ledger = new Ledger(families)
  for (let index = 0; index < families; index++) {
    const attempt = `attempt-${index}-0000`
    ledger.settle({ task: `seed.${index}`, totals: {}, spawned: { attempt, children: 1 } })
    ledger.settle({ task: `${attempt}.0`, totals: { copied: 250 } })
  }
  expect((heapAfterGc() - held) / families).toBeLessThan(250)
  expect(ledger.settle({ task: 'attempt-7-0000.0', totals: { copied: 1 } })).toBe(false)
  expect(ledger.counts('attempt-7-0000.0')).toBe(true)
  expect(ledger.counts('attempt-7-0000.1')).toBe(false)
  expect(ledger.totals.copied).toBe(250 * families)
  expect(ledger.done).toBe(true)
})

/** Bytes that are in use: what nobody needs is collected first. */
function heapAfterGc(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}
