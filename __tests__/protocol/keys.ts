import fc from 'fast-check'

/** Characters that a careless order, split or encoding gets wrong. */
const NASTY = [
  '\u0001',
  ' ',
  '!',
  '+',
  '/',
  '0',
  '9',
  'a',
  '~',
  '\u007f',
  'é',
  '\u0301',
  '日',
  '\ud7ff',
  '\ue000',
  '\ufffe',
  '\uffff',
  '😀',
  '\u{10ffff}',
]

/** A key that S3 takes: valid Unicode, here of at most so many characters. */
export function anyKey(maxLength = 12): fc.Arbitrary<string> {
  const unit = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))
  return fc.string({ unit, minLength: 1, maxLength }).filter((key) => key.isWellFormed() && key !== '')
}

/** A key of so many bytes, or the few less that its last character would be too many for: as long as S3 takes keys. */
export function longKey(bytes: number): fc.Arbitrary<string> {
  return anyKey().map((key) => {
    const points = [...key]
    let long = ''
    for (let size = 0, index = 0; ; index++) {
      const point = points[index % points.length] as string
      size += Buffer.byteLength(point)
      if (size > bytes) return long
      long += point
    }
  })
}

/** Keys of few letters, so that many begin alike. */
export function likeKeys(maxLength = 8): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...NASTY), minLength: 1, maxLength })
}

/** The order of bytes, as S3 says. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
