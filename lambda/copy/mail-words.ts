const WORD = /=\?utf-8\?([BQ])\?([^?]*)\?=/gi
const WORDS = /^=\?utf-8\?[BQ]\?[^?]*\?=(?:\s+=\?utf-8\?[BQ]\?[^?]*\?=)*$/i

/**
 * A value of user metadata as it was sent to S3, from what S3 answers. A value that is not all ASCII comes back as
 * encoded words (RFC 2047), of the value's bytes taken for Latin-1 characters (S3 user guide, "Working with object
 * metadata", whose example this undoes). Anything else comes back as it is.
 *
 * @returns a byte string: a character is a byte on the wire
 */
export function decodeMailWords(value: string): string {
  if (!WORDS.test(value)) return value
  const bytes = [...value.matchAll(WORD)].map(([, encoding, text = '']) =>
    /b/i.test(encoding as string) ? Buffer.from(text, 'base64') : Buffer.from(unquote(text), 'latin1'),
  )
  const decoded = Buffer.concat(bytes)
  const text = decoded.toString('utf8')
  const isLatin1 = [...text].every((char) => char <= 'ÿ')
  const sent = isLatin1 ? text : decoded.toString('latin1')
  // No header holds these, so they were never sent: the words themselves were.
  return /[\0-\x08\n-\x1f\x7f]/.test(sent) ? value : sent
}

function unquote(text: string): string {
  return text
    .replaceAll('_', ' ')
    .replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
