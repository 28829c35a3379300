import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { commonPrefix, compareKeys, nextCodePoint, utf8Length } from '../../protocol/key.ts'
import { anyKey, byBytes, likeKeys } from './keys.ts'

describe('order', () => {
  test('is that of UTF-8 bytes', () => {
    const key = fc.oneof(anyKey(), likeKeys())
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(byBytes(a, b))
      }),
      { numRuns: 1000 },
    )
  })

  test('puts an emoji behind U+FFFD, unlike JavaScript', () => {
    expect(compareKeys('😀', '\ufffd')).toBeGreaterThan(0)
    expect('😀' < '\ufffd').toBe(true)
  })

  test('puts a key behind what it begins with', () => {
    expect(compareKeys('a', 'a\u0000')).toBeLessThan(0)
    expect(compareKeys('😀', '😀')).toBe(0)
  })
})

test('length counts bytes of UTF-8', () => {
  expect(['', 'a', 'é', '日', '😀'].map(utf8Length)).toEqual([0, 1, 2, 3, 4])
})

test('what two keys begin with alike ends with a whole code point', () => {
  // Both have the same high surrogate.
  expect(commonPrefix('a😀', 'a😁')).toBe('a')
  expect(commonPrefix('a😀b', 'a😀c')).toBe('a😀')
  expect(commonPrefix('a', 'ab')).toBe('a')
})

describe('the code point that follows', () => {
  test('is no surrogate', () => {
    expect(nextCodePoint(0xd7ff)).toBe(0xe000)
    expect(nextCodePoint(0x61)).toBe(0x62)
  })

  test('ends with Unicode', () => {
    expect(nextCodePoint(0x10ffff)).toBeUndefined()
  })
})
