import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { partBytes, partsOf, WHOLE_BYTES } from '../../../lambda/copy/parts.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
/** S3 user guide, multipart upload limits: 50 TB, which are 48.8 TiB, as many as 10,000 parts of 5 GiB hold. */
const LARGEST = 10_000 * 5 * GIB

describe('the parts of an object', () => {
  test('cover it once, within S3’s limits for parts, at any size', () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 4 * GIB }),
      fc.integer({ min: 1, max: LARGEST }),
      fc.integer({ min: LARGEST - 10_000, max: LARGEST }),
    )
    fc.assert(
      fc.property(size, (bytes) => {
        const parts = [...partsOf(bytes)]
        expect(parts.length).toBeLessThanOrEqual(10_000)
        let next = 0
        for (const [index, { number, first, last }] of parts.entries()) {
          const length = last - first + 1
          if (number !== index + 1 || first !== next || length > 5 * GIB || length < 1) throw new Error('gap')
          if (number < parts.length && length < 5 * MIB) throw new Error('too small')
          next = last + 1
        }
        expect(next).toBe(bytes)
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['one byte more than is copied as a whole', WHOLE_BYTES + 1, 5, 1],
    ['5 GiB', 5 * GIB, 20, 256 * MIB],
    ['5 GiB and a byte', 5 * GIB + 1, 21, 1],
    ['as many parts of the usual size as there may be', 256 * MIB * 10_000, 10_000, 256 * MIB],
    ['a byte more than that', 256 * MIB * 10_000 + 1, 9962, undefined],
    ['50 TB', 50 * 10 ** 12, 9999, undefined],
    ['the most that S3 takes', LARGEST, 10_000, 5 * GIB],
    ['a byte less', LARGEST - 1, 10_000, 5 * GIB - 1],
  ])('%s', (_, size, count, lastBytes) => {
    const parts = [...partsOf(size)]
    expect(parts).toHaveLength(count)
    const { first, last } = parts.at(-1) ?? { first: 0, last: 0 }
    if (lastBytes !== undefined) expect(last - first + 1).toBe(lastBytes)
    expect(partBytes(size)).toBeLessThanOrEqual(5 * GIB)
  })
})
