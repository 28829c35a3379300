import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isEmpty, overlappingPrefixes, type Range } from '../../protocol/range.ts'
import { anyKey, byBytes, likeKeys } from './keys.ts'

const some = fc.oneof(anyKey(), likeKeys(3))

describe('a range', () => {
  test('in which a key lies, in the order of bytes, is not empty', () => {
    fc.assert(
      fc.property(
        some,
        fc.option(some, { nil: undefined }),
        fc.option(some, { nil: undefined }),
        (key, after, upTo) => {
          const above = after === undefined || byBytes(after, key) < 0
          const below = upTo === undefined || byBytes(key, upTo) <= 0
          if (above && below) expect(isEmpty({ after, upTo })).toBe(false)
        },
      ),
    )
  })

  test.each<[Range, boolean]>([
    [{}, false],
    [{ upTo: '' }, true],
    [{ after: 'a', upTo: 'a' }, true],
    [{ after: '😀', upTo: '\ufffd' }, true],
    [{ after: '\ufffd', upTo: '😀' }, false],
  ])('%j is empty: %j', (range, empty) => {
    expect(isEmpty(range)).toBe(empty)
  })
})

describe('prefixes that overlap', () => {
  test('are found', () => {
    expect(overlappingPrefixes(['b', 'a/', 'c', 'a/b/'])).toEqual(['a/', 'a/b/'])
    expect(overlappingPrefixes(['a', '', 'b'])).toEqual(['', 'a'])
    expect(overlappingPrefixes(['😀', '\ufffd', '😀'])).toEqual(['😀', '😀'])
  })

  test('are found when and only when a key can begin with two', () => {
    fc.assert(
      fc.property(fc.array(likeKeys(3), { maxLength: 6 }), (prefixes) => {
        const overlap = prefixes.some((a, i) => prefixes.some((b, j) => i !== j && b.startsWith(a)))
        expect(overlappingPrefixes(prefixes) !== undefined).toBe(overlap)
      }),
      { numRuns: 500 },
    )
  })
})
