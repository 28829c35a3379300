import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compareKeys, KEY_BYTES, keyBefore, lastWithPrefix, utf8Length } from '../../protocol/key.ts'
import {
  defaultPartition,
  inRange,
  isEmpty,
  overlappingPrefixes,
  partition,
  prefixRange,
  type Range,
} from '../../protocol/range.ts'
import { anyKey, byBytes, likeKeys } from './keys.ts'

const some = fc.oneof(anyKey(), likeKeys(3))

/** How many of the ranges hold the key. */
function holding(key: string, ranges: readonly Range[]): number {
  return ranges.filter((range) => inRange(key, range)).length
}

describe('a range', () => {
  test('holds its end but not its start, in the order of bytes', () => {
    fc.assert(
      fc.property(
        some,
        fc.option(some, { nil: undefined }),
        fc.option(some, { nil: undefined }),
        (key, after, upTo) => {
          const above = after === undefined || byBytes(after, key) < 0
          const below = upTo === undefined || byBytes(key, upTo) <= 0
          expect(inRange(key, { after, upTo })).toBe(above && below)
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

  test('falls into parts that hold each of its keys once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(some, { minLength: 2, maxLength: 8 }), some, (keys, key) => {
        const [after, ...cuts] = keys.sort(compareKeys)
        const upTo = cuts.pop()
        expect(holding(key, partition({ after, upTo }, cuts))).toBe(inRange(key, { after, upTo }) ? 1 : 0)
      }),
    )
  })
})

describe('the default partition', () => {
  test('holds every key that begins with the prefix once', () => {
    const prefix = fc.oneof(fc.constant(''), some)
    fc.assert(
      fc.property(prefix, fc.oneof(fc.constant(''), some), (start, rest) => {
        fc.pre(start + rest !== '')
        expect(holding(start + rest, defaultPartition(start))).toBe(1)
      }),
      { numRuns: 1000 },
    )
  })

  test('parts keys by their first character, where that is printable ASCII', () => {
    const ranges = defaultPartition('p/')
    const place = (key: string) => ranges.findIndex((range) => inRange(key, range))
    const places = ['p/', 'p/ x', 'p/!x', 'p/0x', 'p/Ax', 'p/zx', 'p/~x', 'p/éx', 'p/😀'].map(place)
    expect(new Set(places).size).toBe(places.length - 1)
    expect(places.at(-1)).toBe(places.at(-2))
  })

  test('asks for no key that is too long', () => {
    for (const length of [1021, 1022, 1023, 1024])
      for (const { upTo } of defaultPartition('x'.repeat(length)))
        expect(utf8Length(upTo ?? '')).toBeLessThanOrEqual(KEY_BYTES)
  })
})

describe('the range of a prefix', () => {
  test('holds the keys that begin with it and no other', () => {
    const prefix = fc.oneof(fc.constant(''), some)
    fc.assert(
      fc.property(prefix, some, (start, key) => {
        for (const candidate of [key, start + key])
          expect(inRange(candidate, prefixRange(start))).toBe(candidate.startsWith(start))
      }),
      { numRuns: 1000 },
    )
  })

  test('ends exactly where the prefix does', () => {
    fc.assert(
      fc.property(some, (prefix) => {
        expect(inRange(prefix, prefixRange(prefix))).toBe(true)
        expect(inRange(lastWithPrefix(prefix), prefixRange(prefix))).toBe(true)
        expect(inRange(keyBefore(prefix) ?? '', prefixRange(prefix))).toBe(keyBefore(prefix) === undefined)
      }),
    )
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
