import { expect, test } from '@jest/globals'
import { Progress } from '../../src/progress.ts'
import { type Totals, zero } from '../../src/totals.ts'

const NOTHING = { list: 0, copy: 0, inFlight: 0, dlq: 0 }

test('the rate is that since the line before, and no nonsense when that was just now', () => {
  const progress = new Progress()
  const rate = (elapsedMs: number, copied: number) =>
    / ([\d,]+) objects\/s /.exec(progress.line({ ...zero(), copied }, 1, NOTHING, elapsedMs))?.[1]
  expect(rate(10_000, 1_000)).toBe('100')
  expect(rate(20_000, 4_000)).toBe('300')
  expect(rate(20_040, 4_500)).toBe('349')
  expect(rate(30_040, 4_500)).toBe('0')
})

test.each([50, 250, 2_160, 9_000])(
  'the samples of %i polls are few, evenly spread, and end with the last',
  (polls) => {
    let progress = new Progress()
    for (let poll = 1; poll <= polls; poll++) {
      progress.line({ ...zero(), copied: poll }, 1, NOTHING, poll * 10_000)
      // Another step goes on with the run now and then.
      if (poll % 777 === 0) progress = new Progress(progress.samples)
    }
    const { samples } = progress
    expect(samples.at(-1)).toEqual({ elapsedMs: polls * 10_000, copied: polls })
    expect(samples[0]?.elapsedMs).toBe(0)
    expect(samples.length).toBeGreaterThanOrEqual(Math.min(polls, 60))
    expect(samples.length).toBeLessThanOrEqual(202)
    const gaps = samples.slice(1).map(({ elapsedMs }, index) => elapsedMs - (samples[index]?.elapsedMs ?? 0))
    expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.max(10_000, (polls * 10_000) / 40))
  },
)

test('a single open task is named in the singular', () => {
  expect(new Progress().line(zero(), 1, NOTHING, 1_000)).toMatch(/ 1 task open /)
})

test('what is waited for when all is settled is said', () => {
  const line = (inFlight: number) => new Progress().line(zero(), 0, { ...NOTHING, inFlight }, 1_000)
  expect(line(3)).toMatch(/ all tasks settled, waiting for the queues to read empty /)
  expect(line(0)).toMatch(/ 0 tasks open /)
})

test('how long the rest takes is told when all is listed, by the pace of the last minute', () => {
  const progress = new Progress()
  const left = (elapsedMs: number, totals: Partial<Totals>, list = 0) =>
    / about (.+?) left /.exec(
      progress.line({ ...zero(), ...totals }, 9, { ...NOTHING, list }, elapsedMs),
    )?.[1]
  // The list tasks of the first 20 s have not said yet what they found.
  expect(left(10_000, { listed: 1_000, copied: 1_000 })).toBeUndefined()
  expect(left(30_000, { listed: 100_000, copied: 10_000 })).toBeUndefined()
  expect(left(80_000, { listed: 100_000, copied: 40_000 }, 1)).toBeUndefined()
  expect(left(130_000, { listed: 100_000, copied: 50_000 })).toBeUndefined()
  // 20,000 in a minute; what failed or was skipped is done as well.
  expect(left(140_000, { listed: 100_000, copied: 60_000, skipped: 15_000, failed: 5_000 })).toBe('1m 00s')
  expect(left(200_000, { listed: 100_000, copied: 70_000, skipped: 15_000, failed: 5_000 })).toBe('1m 00s')
  // Nothing was copied for a minute: that tells no pace.
  expect(left(260_000, { listed: 100_000, copied: 70_000, skipped: 15_000, failed: 5_000 })).toBeUndefined()
  expect(left(270_000, { listed: 100_000, copied: 80_000, skipped: 15_000, failed: 5_000 })).toBeUndefined()
})

test('more that is listed late takes the estimate back', () => {
  const progress = new Progress()
  const line = (elapsedMs: number, listed: number, copied: number) =>
    progress.line({ ...zero(), listed, copied }, 9, NOTHING, elapsedMs)
  line(10_000, 50_000, 10_000)
  expect(line(70_000, 50_000, 20_000)).toMatch(/ about 3m 00s left /)
  expect(line(80_000, 90_000, 30_000)).not.toMatch(/left/)
})

test('objects that are neither copied nor failed are told where there are some', () => {
  const line = (totals: Partial<Totals>) => new Progress().line({ ...zero(), ...totals }, 1, NOTHING, 1_000)
  expect(line({})).not.toMatch(/skipped|vanished|dead-lettered/)
  expect(line({ skipped: 4_900_000, vanished: 1, deadObjects: 250 })).toContain(
    '| failed 0 | skipped 4,900,000 | vanished 1 | dead-lettered 250 |',
  )
})
