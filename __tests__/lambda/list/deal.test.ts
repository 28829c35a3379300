import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { deal } from '../../../lambda/list/deal.ts'
import { compareKeys } from '../../../protocol/key.ts'

test('what is dealt is all there once, in order in each hand, in as few hands as hold it', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 9 }), (keys, most) => {
      const items = keys.sort(compareKeys)
      const hands = deal(items, most)
      expect(hands.flat().sort(compareKeys)).toEqual(items)
      expect(hands.length).toBe(Math.ceil(items.length / most))
      for (const hand of hands) {
        expect(hand.length).toBeLessThanOrEqual(most)
        expect(hand).toEqual(hand.toSorted(compareKeys))
      }
    }),
  )
})

test('each hand has some from all over', () => {
  expect(deal([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([
    [1, 4, 7],
    [2, 5],
    [3, 6],
  ])
})
