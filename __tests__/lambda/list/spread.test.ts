import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { spreadSeconds } from '../../../lambda/list/spread.ts'

test('a small source is copied at once', () => {
  expect(spreadSeconds(0, () => 0.999)).toBe(0)
})

test('the larger the source, the wider are its tasks spread, but nothing waits for longer than half a minute', () => {
  const widest = [1, 2, 3, 4, 99].map((generation) => spreadSeconds(generation, () => 0.999_999))
  expect(widest).toEqual(widest.toSorted((a, b) => a - b))
  fc.assert(
    fc.property(
      fc.nat(40),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (generation, chance) => {
        const seconds = spreadSeconds(generation, () => chance)
        return Number.isInteger(seconds) && seconds >= 0 && seconds < 30
      },
    ),
  )
})
