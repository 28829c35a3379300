import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Alphabet } from '../../../lambda/list/alphabet.ts'
import { evenCuts } from '../../../lambda/list/guess.ts'
import { compareKeys, KEY_BYTES, utf8Length } from '../../../protocol/key.ts'
import { anyKey } from '../../protocol/keys.ts'

test('even cuts are keys that S3 takes, between the ends, in order, and no more than asked for', () => {
  const key = anyKey().filter((it) => !it.includes('\0'))
  const most = fc.integer({ min: 1, max: 40 })
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { minLength: 2, maxLength: 6 }),
      most,
      fc.boolean(),
      (keys, parts, isOpen) => {
        const page = keys.toSorted(compareKeys)
        const upTo = isOpen ? undefined : page.pop()
        const [first, last] = [page[0] as string, page.at(-1) as string]
        const alphabet = new Alphabet()
        alphabet.learn(page.map((it) => ({ key: it })))
        const cuts = evenCuts({ first, last, upTo }, parts, '', alphabet)
        expect(cuts.length).toBeLessThanOrEqual(parts)
        const ends = [last, ...cuts, ...(upTo === undefined ? [] : [upTo])]
        for (const [index, end] of ends.slice(1).entries())
          expect(compareKeys(ends[index] as string, end)).toBeLessThan(0)
        for (const cut of cuts) {
          expect(cut.isWellFormed()).toBe(true)
          expect(cut).not.toContain('\0')
          expect(utf8Length(cut)).toBeLessThanOrEqual(KEY_BYTES)
        }
      },
    ),
    { numRuns: 100 },
  )
})

test('behind a key that others begin with, letters of any script may follow, but no NUL', () => {
  const alphabet = new Alphabet()
  alphabet.learn([{ key: 'a' }])
  const cuts = evenCuts({ first: 'a', last: 'a', upTo: 'a日' }, 8, '', alphabet)
  expect(cuts.length).toBe(8)
  expect(cuts.join()).not.toContain('\0')
})
