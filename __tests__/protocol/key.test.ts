import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  compareKeys,
  KEY_BYTES,
  keyBefore,
  lastWithPrefix,
  nextCodePoint,
  previousCodePoint,
  utf8Length,
} from '../../protocol/key.ts'
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

describe('neighbours of a code point', () => {
  test('leave surrogates out', () => {
    expect(nextCodePoint(0xd7ff)).toBe(0xe000)
    expect(previousCodePoint(0xe000)).toBe(0xd7ff)
  })

  test('end with Unicode', () => {
    expect(nextCodePoint(0x10ffff)).toBeUndefined()
    expect(previousCodePoint(0)).toBeUndefined()
  })
})

describe('neighbours of a key', () => {
  const room = (length: number) => 'x'.repeat(KEY_BYTES - length)

  test.each([
    [room(0), room(0)],
    [room(1), `${room(1)}\u007f`],
    [room(2), `${room(2)}\u07ff`],
    [room(3), `${room(3)}\uffff`],
    [room(9), `${room(9)}\u{10ffff}\u{10ffff}\u007f`],
  ])('the last with a prefix fills the length of a key (%#)', (prefix, last) => {
    expect(lastWithPrefix(prefix)).toBe(last)
  })

  test('nothing lies between a key and the one before it', () => {
    const some = fc.oneof(anyKey(), likeKeys())
    fc.assert(
      fc.property(some, some, (key, other) => {
        const before = keyBefore(key)
        if (before === undefined) return expect(key).toBe('\u0000')
        expect(before.isWellFormed() && utf8Length(before) <= KEY_BYTES).toBe(true)
        expect(byBytes(before, key)).toBe(-1)
        expect(byBytes(before, other) === -1 && byBytes(other, key) === -1).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['b\u0000', 'b'],
    ['\u0000', undefined],
    ['', undefined],
    [`${room(1)}b`, `${room(1)}a`],
    [`${room(3)}\ue000`, `${room(3)}\ud7ff`],
  ])('the key before (%#)', (key, before) => {
    expect(keyBefore(key)).toBe(before)
  })
})
