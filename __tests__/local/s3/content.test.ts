import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Content } from '../../../local/s3/index.ts'

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Content.of(Buffer.from(array)))
const sparse = fc
  .tuple(fc.integer({ min: 0, max: 200 }), fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 100 }))
  .map(([size, pattern, offset]) => Content.sparse(size, pattern, offset))
const mixed = fc.array(fc.oneof(bytes, sparse), { maxLength: 5 }).map((parts) => Content.concat(parts))

describe('content', () => {
  test('slices and joins are those of its bytes', () => {
    fc.assert(
      fc.property(mixed, fc.nat(500), fc.nat(500), (content, a, b) => {
        const whole = content.toBuffer()
        expect(whole.length).toBe(content.size)
        const [start, end] = [Math.min(a, b, content.size), Math.min(Math.max(a, b), content.size)]
        const cut = [content.slice(0, start), content.slice(start, end), content.slice(end, content.size)]
        expect(cut[1]?.toBuffer().equals(whole.subarray(start, end))).toBe(true)
        const again = Content.concat(cut)
        expect(again.toBuffer().equals(whole)).toBe(true)
        expect(again.md5).toBe(content.md5)
      }),
    )
  })

  test('a pattern differs from place to place, from name to name, and beyond 4 GiB', () => {
    const at = (offset: number, name = 'a') => Content.sparse(16, name, offset).toBuffer().toString('hex')
    const seen = [at(0), at(1), at(16), at(2 ** 32), at(2 ** 35), at(2 ** 45), at(0, 'b')]
    expect(new Set(seen).size).toBe(seen.length)
  })

  test('the digests of sparse content tell contents apart, and take no time', async () => {
    const TB50 = 50e12
    const one = Content.sparse(TB50)
    const split = Content.concat([one.slice(0, 7e12), one.slice(7e12, TB50)])
    const swapped = Content.concat([one.slice(7e12, TB50), one.slice(0, 7e12)])
    expect(split.md5).toBe(one.md5)
    expect(await split.checksum('CRC64NVME')).toBe(await one.checksum('CRC64NVME'))
    expect(swapped.md5).not.toBe(one.md5)
    expect(Content.sparse(TB50 - 1).md5).not.toBe(one.md5)
  })
})
