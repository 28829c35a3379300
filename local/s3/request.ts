import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Bytes, formDecode, isValidText, percentDecode } from './bytes.ts'
import { S3Error } from './errors.ts'

/** Keys are at most this long, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1024

/** A request taken apart, before anything is looked up. */
export type S3Request = {
  method: string
  /** Empty for the service itself (ListBuckets). */
  bucket: string
  /** Empty for a bucket's own operations. */
  key: Bytes
  query: ReadonlyMap<string, Bytes>
  headers: IncomingHttpHeaders
  /** The region the request is signed for; undefined when it is not signed. */
  region: string | undefined
  /** The region in the host name, if it has one. */
  hostRegion: string | undefined
  id: string
}

// s3.localhost, bucket.s3.localhost, bucket.s3.eu-west-1.localhost, bucket.localhost; the same under amazonaws.com
const S3_HOST =
  /^(?:(.+?)\.)??(?:s3(?:[.-]([a-z]{2,}(?:-[a-z]+)+-\d))?\.(?:localhost|amazonaws\.com)|localhost)$/
const SCOPE = /Credential=[^/,]+\/\d{8}\/([^/]+)\//

let requests = 0

/**
 * The path is taken as it stands: nothing merges `//` or resolves `..`, as URL does. Throws InvalidURI, KeyTooLongError.
 */
export function parseRequest(message: IncomingMessage): S3Request {
  const { headers } = message
  const [rawPath, rawQuery] = splitOnce(message.url ?? '/', '?')
  const path = percentDecode(rawPath)
  if (path === undefined || !isValidText(path)) throw new S3Error('InvalidURI')
  const query = parseQuery(rawQuery)
  const [, hostBucket, hostRegion] =
    S3_HOST.exec((headers.host ?? '').replace(/:\d+$/, '').toLowerCase()) ?? []
  const [bucket, key] = hostBucket ? [hostBucket, path.slice(1)] : splitOnce(path.slice(1), '/')
  checkKey(key)
  const credential = headers.authorization ?? `Credential=${query.get('X-Amz-Credential') ?? ''}`
  return {
    method: message.method ?? 'GET',
    bucket,
    key,
    query,
    headers,
    region: SCOPE.exec(credential)?.[1],
    hostRegion,
    id: (++requests).toString(16).toUpperCase().padStart(16, '0'),
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function parseQuery(raw: string): Map<string, Bytes> {
  const query = new Map<string, Bytes>()
  for (const pair of raw === '' ? [] : raw.split('&')) {
    const [name, value] = splitOnce(pair, '=').map(formDecode)
    if (name === undefined || value === undefined) throw new S3Error('InvalidURI')
    query.set(name, value)
  }
  return query
}

/**
 * S3 refuses keys that are too long, and keys whose `..` segments lead out of the bucket (user guide, "Naming Amazon S3
 * objects": a relative path must not have more parents than the segments before it).
 */
function checkKey(key: Bytes): void {
  if (key.length > MAX_KEY_BYTES) {
    throw new S3Error('KeyTooLongError', undefined, {
      elements: { Size: key.length, MaxSizeAllowed: MAX_KEY_BYTES },
    })
  }
  if (!key.includes('..')) return
  let depth = 0
  for (const segment of key.split('/')) {
    depth += segment === '..' ? -1 : segment === '.' || segment === '' ? 0 : 1
    if (depth < 0) throw new S3Error('InvalidURI')
  }
}
