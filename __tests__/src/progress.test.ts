import { expect, test } from '@jest/globals'
import { zero } from '../../src/family.ts'
import { Progress } from '../../src/progress.ts'

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

test('one task is no tasks', () => {
  expect(new Progress().line(zero(), 1, NOTHING, 1_000)).toMatch(/ 1 task open /)
})
