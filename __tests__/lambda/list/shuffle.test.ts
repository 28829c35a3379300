import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { shuffleSeconds } from '../../../lambda/list/shuffle.ts'

const longest = (listed: number, lanes: number) => shuffleSeconds(listed, lanes, () => 1 - Number.EPSILON)

test('the beginning of a source is not held back, and no task for longer than SQS can', () => {
  expect([0, 1_000, 20_000].map((listed) => longest(listed, 1))).toEqual([0, 0, 0])
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 8 }), (listed, lanes) => {
      const seconds = longest(listed, lanes)
      expect(Number.isInteger(seconds)).toBe(true)
      expect(seconds).toBeGreaterThanOrEqual(0)
      expect(seconds).toBeLessThanOrEqual(900)
    }),
  )
})

test('the larger a source shows to be, the longer tasks are held back, by chance', () => {
  expect([longest(55_001, 1), longest(30_000, 4), longest(30_000, 8)]).toEqual([10, 15, 31])
  expect([longest(2_820_001, 8), longest(100_000_000, 8)]).toEqual([100, 899])
  expect([0, 0.5].map((chance) => shuffleSeconds(2_820_000, 8, () => chance))).toEqual([0, 50])
})
