import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { shuffleSeconds, taskSize } from '../../../lambda/list/shuffle.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const longest = (ageSeconds: number, found: number) =>
  shuffleSeconds(ageSeconds * 1000, found, 1 - Number.EPSILON)

test('a delay is one that SQS takes', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), chance, (age, found, by) => {
      const seconds = shuffleSeconds(age, found, by)
      expect(Number.isInteger(seconds)).toBe(true)
      expect(seconds).toBeGreaterThanOrEqual(0)
      expect(seconds).toBeLessThanOrEqual(900)
    }),
  )
})

test('what is listed early may come at any time of the first seconds, whenever it was listed', () => {
  for (const age of [1, 3, 5]) expect(age + longest(age + 0.001, 1e6)).toBe(44)
})

test('what is listed late is held back in proportion to the age of the listing', () => {
  expect([longest(30, 1e9), longest(300, 1e9), longest(3600, 1e9)]).toEqual([59, 599, 899])
})

test('a task with little to copy is not held back for longer than its copies take', () => {
  expect([longest(10, 0), longest(10, 3_499), longest(10, 35_001)]).toEqual([0, 0, 10])
})

test('tasks that come last are smaller, the later the smaller, and none is empty or larger than the run allows', () => {
  const sizes = [0, 0.5, 0.9, 0.95, 0.98, 0.999].map((by) => taskSize(250, by))
  expect(sizes).toEqual([250, 250, 125, 63, 26, 25])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), chance, (most, by) => {
      expect(taskSize(most, by)).toBeGreaterThanOrEqual(1)
      expect(taskSize(most, by)).toBeLessThanOrEqual(most)
    }),
  )
})
