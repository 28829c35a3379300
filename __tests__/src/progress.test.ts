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
