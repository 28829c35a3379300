import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  dueBy,
  dueEachSecond,
  EVENLY,
  LATE,
  restSeconds,
  spreadSeconds,
  taskSize,
} from '../../../lambda/list/spread.ts'

test('copies are never spread over longer than SQS holds a message back', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.maxSafeNat(), (age, found) => {
      expect(spreadSeconds(age, found)).toBeGreaterThanOrEqual(0)
      expect(spreadSeconds(age, found)).toBeLessThanOrEqual(900)
    }),
  )
})

test('what is listed early is copied by the same time, whenever it was listed', () => {
  for (const age of [0, 1, 10, 20, 30]) expect(age + spreadSeconds(age, 1e6)).toBe(60)
})

test('what is listed late is spread over as long as the listing has taken', () => {
  expect([spreadSeconds(40, 1e9), spreadSeconds(300, 1e9), spreadSeconds(3600, 1e9)]).toEqual([40, 300, 900])
})

test('little is not spread over longer than one partition takes for it', () => {
  expect([spreadSeconds(10, 0), spreadSeconds(10, 3_500), spreadSeconds(10, 35_000)]).toEqual([0, 1, 10])
})

test('what is left of a source of modest size is sent as fast as four partitions take it, that of others in their time', () => {
  expect([restSeconds(10, 0), restSeconds(10, 14_000), restSeconds(10, 140_000)]).toEqual([0, 1, 10])
  for (const found of [250_000, 1e6, 1e9]) expect(restSeconds(10, found)).toBe(spreadSeconds(10, found))
})

test('tasks that come last are smaller, the later the smaller, and none is empty or larger than the run allows', () => {
  const sizes = [0, 0.5, 0.9, 0.95, 0.98, 0.999, 1].map((place) => taskSize(250, place, 1e6))
  expect(sizes).toEqual([250, 250, 250, 126, 51, 25, 25])
  const most = fc.integer({ min: 1, max: 1000 })
  const place = fc.double({ min: 0, max: 2, noNaN: true })
  fc.assert(
    fc.property(most, place, fc.nat(), (objects, at, found) => {
      expect(taskSize(objects, at, found)).toBeGreaterThanOrEqual(1)
      expect(taskSize(objects, at, found)).toBeLessThanOrEqual(objects)
    }),
  )
})

test('about the last hundred thousand objects go in smaller tasks, but half of a source at most, and a thirtieth at least', () => {
  const half = (found: number) => [0.49, 0.75].map((place) => taskSize(250, place, found))
  expect([half(1), half(50_000), half(200_000), half(400_000)]).toEqual([
    [250, 125],
    [250, 125],
    [250, 125],
    [250, 250],
  ])
  expect([0.9, 0.95].map((place) => taskSize(250, place, 1e6))).toEqual([250, 126])
  for (const found of [4e6, 1e9])
    expect([0.95, 0.985].map((place) => taskSize(250, place, found))).toEqual([250, 126])
})

test.each([EVENLY, LATE])(
  'by the power of %i, what is drawn as it is due is what would be shown by its time',
  (power) => {
    const age = fc.double({ min: 0, max: 100, noNaN: true })
    const seconds = fc.double({ min: 20, max: 900, noNaN: true })
    fc.assert(
      fc.property(age, seconds, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (from, time, share) => {
        const end = from + time
        const by = dueBy(share, from, end, power)
        const steps = 10_000
        let left = 1
        for (let step = 0; step < steps; step++) {
          const at = from + ((step + 0.5) * (by - from)) / steps
          left *= 1 - (dueEachSecond(at, end, power) * (by - from)) / steps
        }
        expect(1 - left).toBeCloseTo(share, 2)
        expect(by).toBeGreaterThan(from)
        expect(by).toBeLessThan(end)
      }),
      { numRuns: 30 },
    )
  },
)

test('copies are due evenly, or most of them late', () => {
  expect([0, 0.5, 1].map((share) => dueBy(share, 20, 60, EVENLY))).toEqual([20, 40, 60])
  expect(dueBy(1 / 8, 0, 60, LATE)).toBeCloseTo(30)
  expect(dueBy(0.5, 0, 60, LATE)).toBeGreaterThan(45)
})
