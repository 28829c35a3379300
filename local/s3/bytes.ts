import { isUtf8 } from 'node:buffer'

/**
 * A key (prefix, delimiter …) as S3 orders it: a string with one character per UTF-8 byte. JavaScript's `<` on such
 * strings is UTF-8 byte order, which is S3's; on ordinary strings it is UTF-16 order, which differs above U+FFFF.
 * ASCII text is its own byte string.
 */
export type Bytes = string

const ASCII = /^[\x00-\x7f]*$/

export function toBytes(text: string): Bytes {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** The text that the bytes spell; bytes that are no UTF-8 become U+FFFD. */
export function toText(bytes: Bytes): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8')
}

export function isValidText(bytes: Bytes): boolean {
  return ASCII.test(bytes) || isUtf8(Buffer.from(bytes, 'latin1'))
}

/** Undoes percent-encoding; undefined when a `%` is not followed by two hexadecimal digits. */
export function percentDecode(encoded: string): Bytes | undefined {
  if (!encoded.includes('%')) return encoded
  if (/%(?![0-9A-Fa-f]{2})/.test(encoded)) return undefined
  return encoded.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** As {@link percentDecode}, with `+` for a space: query strings, x-amz-tagging and x-amz-copy-source. */
export function formDecode(encoded: string): Bytes | undefined {
  return percentDecode(encoded.replaceAll('+', ' '))
}

/**
 * What S3 answers under `encoding-type=url`: a space as `+`, letters, digits and `-_.*` and `/` as they are, every
 * other byte as `%XX`.
 */
export function formEncode(bytes: Bytes): string {
  return bytes.replace(/[^A-Za-z0-9\-_.*/]/g, (char) =>
    char === ' ' ? '+' : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
