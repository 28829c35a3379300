/**
 * S3 object keys as S3 sees them: 1 to 1,024 bytes of UTF-8, ordered by those bytes (S3 API reference, ListObjectsV2),
 * which is the order of code points. JavaScript orders strings by UTF-16 units, where a surrogate pair (above U+FFFF)
 * stands before U+E000 to U+FFFF.
 */

/** Bytes of UTF-8 in a key at most (S3 user guide, object key names). */
export const KEY_BYTES = 1024

export const MAX_CODE_POINT = 0x10ffff
/** Appended to a folder's prefix it gives a text that sorts after all keys in the folder, but for those that have it there themselves. */
export const ABOVE = String.fromCodePoint(MAX_CODE_POINT)
const FIRST_SURROGATE = 0xd800
const LAST_SURROGATE = 0xdfff

/** Negative, zero or positive as `a` stands before, at or after `b` in S3's order. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Bytes of UTF-8. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text)
}

/** The code point that follows in a key's order, surrogates left out; undefined after the last. */
export function nextCodePoint(code: number): number | undefined {
  if (code === MAX_CODE_POINT) return undefined
  return code === FIRST_SURROGATE - 1 ? LAST_SURROGATE + 1 : code + 1
}

/** What two keys begin with alike, in whole code points. */
export function commonPrefix(a: string, b: string): string {
  let i = 0
  while (i < a.length && a[i] === b[i]) i++
  const split = i > 0 && /[\ud800-\udbff]/.test(a[i - 1] as string)
  return a.slice(0, split ? i - 1 : i)
}

/** A UTF-16 unit's place in code point order: surrogates go above everything else. */
function rank(unit: number): number {
  if (unit < FIRST_SURROGATE) return unit
  return unit > LAST_SURROGATE ? unit - 0x800 : unit + 0x2000
}
