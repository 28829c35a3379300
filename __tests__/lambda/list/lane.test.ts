import { expect, test } from '@jest/globals'
import { Alphabet } from '../../../lambda/list/alphabet.ts'
import { type Clues, type Known, likelyEnd, newLane, pagesLeft } from '../../../lambda/list/lane.ts'
import { ABOVE } from '../../../protocol/key.ts'

/** A lane whose known page covers the first half of a month. */
function month(clues: Clues): Known {
  const [first, last] = ['t0/2021/12/01/00', 't0/2021/12/16/01']
  return { ...newLane({ after: last, upTo: 't0/20210' }), page: { first, last }, clues }
}
const folder = 't0/2021/12/'
const folders = ['t0/2021/12/17/', 't0/2021/12/31/']

test('a lane in a folder whose folders S3 has named ends behind the last of them, not where it may', () => {
  const end = `t0/2021/12/31/${ABOVE}`
  expect(likelyEnd(month({ folder, folders }))).toBe(end)
  // That a folder above it has too many to name them all says nothing of this one.
  expect(likelyEnd(month({ folder, folders, crowd: '', isOfKeys: false }))).toBe(end)
})

test('a lane in a folder that has too many folders ends where it may', () => {
  expect(likelyEnd(month({ folder, folders: [], crowd: folder, isOfKeys: false }))).toBe('t0/20210')
})

test('half of a month is taken for a page when the other half was one', () => {
  const alphabet = new Alphabet()
  alphabet.learn(
    Array.from({ length: 800 }, (_, i) => ({ key: `t0/2021/12/${10 + Math.floor(i / 40)}/${i}` })),
  )
  expect(pagesLeft(month({ folder, folders, crowd: '' }), '', alphabet)).toBeLessThan(3)
})
