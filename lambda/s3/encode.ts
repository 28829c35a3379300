/**
 * Percent-encoding as Signature Version 4 wants it: every byte of UTF-8 but the unreserved characters of RFC 3986
 * (S3 API reference, "Signature calculations"). What is signed is sent as it is: nothing is encoded twice or normalised.
 */

const PLAIN = /^[\w.~/-]*$/
/** What encodeURIComponent leaves and SigV4 does not. */
const LEFT = /[!'()*]/g

/** A key as it stands in a path or in x-amz-copy-source; slashes stay. Throws URIError on a lone surrogate, which no S3 key holds. */
export function encodePath(key: string): string {
  if (PLAIN.test(key)) return key
  return encodeText(key).replaceAll('%2F', '/')
}

/** A query string in the order in which it is signed; parameters that are undefined are left out. */
export function encodeQuery(parameters: Readonly<Record<string, string | undefined>>): string {
  const pairs: [string, string][] = []
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) pairs.push([encodeText(name), encodeText(value)])
  return pairs
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** A key of a listing with encoding-type=url, where a space comes as `+`. Throws URIError when the text is not encoded UTF-8. */
export function decodeListed(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  return spaced.includes('%') ? decodeURIComponent(spaced) : spaced
}

function encodeText(text: string): string {
  return encodeURIComponent(text).replace(LEFT, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
