const WORD = /=\?UTF-8\?([BQ])\?([^?]*)\?=/g
const WORDS = /^=\?UTF-8\?[BQ]\?[^?]*\?=(?:\s+=\?UTF-8\?[BQ]\?[^?]*\?=)*$/
/** Bytes that a header can hold, as characters; not all of them ASCII. */
const BYTES = /^(?=.*[\x80-\xff])[\t\x20-\x7e\x80-\xff]*$/

/**
 * A value of user metadata as it was sent to S3, from what S3 answers. A value that is not all ASCII comes back as
 * encoded words (RFC 2047), of the value's bytes taken for Latin-1 characters (S3 user guide, "Working with object
 * metadata", whose example this undoes). Anything else comes back as it is, words that somebody has sent included.
 *
 * @returns a byte string: a character is a byte on the wire
 */
export function decodeMailWords(value: string): string {
  if (!WORDS.test(value)) return value
  const bytes = [...value.matchAll(WORD)].map(([, encoding, text = '']) =>
    encoding === 'B' ? Buffer.from(text, 'base64') : Buffer.from(unquote(text), 'latin1'),
  )
  const sent = Buffer.concat(bytes).toString('utf8')
  return BYTES.test(sent) ? sent : value
}

function unquote(text: string): string {
  return text
    .replaceAll('_', ' ')
    .replace(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
