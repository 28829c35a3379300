/**
 * Object keys as text that every hop can carry.
 *
 * SQS refuses some characters that S3 keys may hold (U+0001..U+001F except TAB, LF, CR, and U+FFFE, U+FFFF:
 * SQS API reference, SendMessage), and `JSON.stringify` leaves the last two raw. Percent-encoding makes a key
 * printable ASCII, so what a message weighs is its length.
 */

/** Characters that encodeURIComponent leaves as they are, and slashes. Most keys hold no others, and to see that is many times faster. */
const PLAIN = /^[\w.~!'()*/-]*$/

/** A key, percent-encoded as UTF-8. Slashes stay, for people who read messages. Throws URIError on a lone surrogate, which no S3 key holds. */
export function encodeKey(key: string): string {
  if (PLAIN.test(key)) return key
  return encodeURIComponent(key).replaceAll('%2F', '/')
}

/** The key that {@link encodeKey} encoded. Throws URIError when the text is not its output. */
export function decodeKey(text: string): string {
  return text.includes('%') ? decodeURIComponent(text) : text
}

/**
 * JSON with every character outside printable ASCII escaped: SQS takes it, and no reader of lines breaks it (Node's
 * readline, for one, ends a line at U+2028).
 */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
