import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { copySource } from '../../../lambda/s3/copy.ts'
import { decodeListed, encodePath, encodeQuery } from '../../../lambda/s3/encode.ts'
import { HOSTILE_KEYS } from './support.ts'

const key = fc.string({ unit: 'binary', minLength: 1 })

describe('a path', () => {
  test.each([
    ['a+b c', 'a%2Bb%20c'],
    ["!'()*~-._", '%21%27%28%29%2A~-._'],
    ['%2F//../.', '%252F//../.'],
    ['é😀', '%C3%A9%F0%9F%98%80'],
    ['?versionId=x', '%3FversionId%3Dx'],
  ])('%s is encoded once, as %s', (given, encoded) => {
    expect(encodePath(given)).toBe(encoded)
  })

  test('holds any key, in characters that no part of HTTP reads otherwise', () => {
    fc.assert(
      fc.property(fc.oneof(key, fc.constantFrom(...HOSTILE_KEYS)), (any) => {
        const encoded = encodePath(any)
        expect(encoded).toMatch(/^(?:[\w.~/-]|%[\dA-F]{2})*$/)
        expect(decodeURIComponent(encoded)).toBe(any)
      }),
    )
  })
})

test('a query is sorted by what is sent, and leaves out what is not given', () => {
  expect(encodeQuery({ b: 'x y', 'a+': '/', prefix: undefined, B: '' })).toBe('B=&a%2B=%2F&b=x%20y')
})

test('a listing of S3 is decoded: a space comes as +, a plus as %2B', () => {
  expect(decodeListed('a+b%2Bc%2541%0A')).toBe('a b+c%41\n')
  fc.assert(
    fc.property(key, (any) => {
      expect(decodeListed(encodeURIComponent(any).replaceAll('%20', '+'))).toBe(any)
    }),
  )
})

test("a copy's source keeps the key apart from the version", () => {
  expect(copySource('from', 'a?versionId=1/+')).toBe('from/a%3FversionId%3D1/%2B')
})
