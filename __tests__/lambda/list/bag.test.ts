import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { seededRandom } from '../../../bench/simulation/virtual-time.ts'
import { Bag } from '../../../lambda/list/bag.ts'

test('what was put in comes out once, and never more than there is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.array(fc.nat()), fc.nat(20), fc.record({ newest: fc.nat(20) }))),
      fc.integer({ min: 1, max: 1e9 }),
      (steps, seed) => {
        const bag = new Bag<number>(seededRandom(seed))
        const put: number[] = []
        const drawn: number[] = []
        for (const step of steps) {
          if (typeof step === 'object' && 'newest' in step) {
            drawn.push(...bag.drawNewest(step.newest))
          } else if (typeof step === 'number') {
            const before = bag.size
            const some = bag.draw(step)
            expect(some.length).toBe(Math.min(step, before))
            drawn.push(...some)
          } else {
            bag.put(step)
            put.push(...step)
          }
          expect(bag.size).toBe(put.length - drawn.length)
        }
        drawn.push(...bag.draw(Number.POSITIVE_INFINITY))
        expect(drawn.sort()).toEqual(put.sort())
      },
    ),
  )
})

test('what was put in first and last is drawn alike', () => {
  const bag = new Bag<number>(seededRandom(1))
  for (let i = 0; i < 10; i++) bag.put(Array.from({ length: 1000 }, (_, j) => 1000 * i + j))
  const thousands = bag.draw(2000).map((item) => Math.floor(item / 1000))
  for (let i = 0; i < 10; i++) {
    const share = thousands.filter((it) => it === i).length
    expect(share).toBeGreaterThan(150)
    expect(share).toBeLessThan(250)
  }
})

test('the newest are those that were put in last, as long as there are any', () => {
  const bag = new Bag<string>(seededRandom(1))
  bag.put(Array(1000).fill('old'))
  bag.put(Array(100).fill('new'))
  expect(bag.drawNewest(60)).toEqual(Array(60).fill('new'))
  expect(bag.drawNewest(60)).toEqual(Array(40).fill('new'))
  expect(bag.drawNewest(60)).toEqual([])
  expect(bag.size).toBe(1000)
})
