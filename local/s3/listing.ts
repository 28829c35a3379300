import { ownerId } from './buckets.ts'
import { type Bytes, formEncode, toText } from './bytes.ts'
import { authorize, type BucketCall, header, type Reply } from './call.ts'
import { invalidArgument } from './errors.ts'
import type { Bucket, ObjectIndex, StoredObject } from './store.ts'
import { element, xmlDocument } from './xml.ts'

/** A page never has more entries than this. */
const MAX_KEYS = 1000

type Page = {
  /** Keys, and common prefixes where `object` is undefined, in order. */
  entries: { name: Bytes; object?: StoredObject }[]
  /** Where the next page begins (this key included); undefined on the last. */
  next?: Bytes
}

/**
 * One page of the keys that begin with `prefix`, from `from` (included) on. Keys that hold the delimiter after the prefix
 * are rolled up into one entry.
 */
function listPage(
  objects: ObjectIndex,
  { prefix, delimiter, from, limit }: { prefix: Bytes; delimiter: Bytes; from: Bytes; limit: number },
): Page {
  const entries: Page['entries'] = []
  let at = from > prefix ? from : prefix
  for (;;) {
    let rolledUp = false
    for (const [key, object] of objects.entries(at)) {
      if (!key.startsWith(prefix)) return { entries }
      if (entries.length === limit) return { entries, next: key }
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
      if (end < 0) {
        entries.push({ name: key, object })
        continue
      }
      const group = key.slice(0, end + delimiter.length)
      entries.push({ name: group })
      at = beyond(group)
      rolledUp = true
      break
    }
    if (!rolledUp) return { entries }
  }
}

/** The least string above every one that begins with `prefix`. */
function beyond(prefix: Bytes): Bytes {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}

/** The least key above `key`. */
function following(key: Bytes): Bytes {
  return `${key}\0`
}

// Opaque, so that nobody takes it for a key.
const TOKEN = '1/'

function encodeToken(from: Bytes): string {
  return Buffer.from(TOKEN + from, 'latin1').toString('base64')
}

function decodeToken(token: string): Bytes {
  const text = Buffer.from(token, 'base64').toString('latin1')
  if (!text.startsWith(TOKEN)) {
    throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
  }
  return text.slice(TOKEN.length)
}

export function listObjectsV2({ store, bucket, request }: BucketCall): Reply {
  authorize(store, 's3:ListBucket', bucket.name)
  const { query } = request
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const startAfter = query.get('start-after')
  const token = query.get('continuation-token')
  const encoding = query.get('encoding-type')
  const asked = query.get('max-keys') ?? String(MAX_KEYS)
  if (!/^\d{1,10}$/.test(asked)) {
    throw invalidArgument('max-keys', asked, 'Provided max-keys not an integer or within integer range')
  }
  if (encoding !== undefined && encoding !== 'url') {
    throw invalidArgument('encoding-type', encoding, 'Invalid Encoding Method specified in Request')
  }
  if (token === '')
    throw invalidArgument('continuation-token', '', 'The continuation token provided is incorrect')
  const from = token !== undefined ? decodeToken(token) : startAfter ? following(startAfter) : ''
  const limit = Math.min(Number(asked), MAX_KEYS)
  const page: Page =
    limit === 0 ? { entries: [] } : listPage(bucket.objects, { prefix, delimiter, from, limit })
  const show = encoding === 'url' ? formEncode : toText
  const details = {
    owner: query.get('fetch-owner') === 'true',
    restore: /\bRestoreStatus\b/.test(header(request, 'x-amz-optional-object-attributes') ?? ''),
  }
  let contents = ''
  let prefixes = ''
  for (const { name, object } of page.entries) {
    if (object) contents += entryXml(show(name), object, bucket, details)
    else prefixes += `<CommonPrefixes>${element('Prefix', show(name))}</CommonPrefixes>`
  }
  return {
    body: xmlDocument(
      'ListBucketResult',
      element('Name', bucket.name) +
        element('Prefix', show(prefix)) +
        element('Delimiter', delimiter === '' ? undefined : show(delimiter)) +
        element('StartAfter', startAfter === undefined ? undefined : show(startAfter)) +
        element('ContinuationToken', token) +
        element('NextContinuationToken', page.next === undefined ? undefined : encodeToken(page.next)) +
        element('KeyCount', page.entries.length) +
        element('MaxKeys', limit) +
        element('EncodingType', encoding) +
        element('IsTruncated', page.next !== undefined) +
        contents +
        prefixes,
    ),
  }
}

function entryXml(
  key: string,
  object: StoredObject,
  bucket: Bucket,
  details: { owner: boolean; restore: boolean },
): string {
  const { checksum, restore } = object
  return (
    `<Contents>${element('Key', key)}<LastModified>${new Date(object.lastModified).toISOString()}</LastModified>` +
    `<ETag>&quot;${object.etag}&quot;</ETag>` +
    `<ChecksumAlgorithm>${checksum?.algorithm ?? 'CRC64NVME'}</ChecksumAlgorithm>` +
    `<ChecksumType>${checksum?.type ?? 'FULL_OBJECT'}</ChecksumType>` +
    `<Size>${object.content.size}</Size>` +
    (details.owner ? `<Owner>${element('ID', ownerId(bucket.owner))}</Owner>` : '') +
    (details.restore && restore
      ? `<RestoreStatus>${element('IsRestoreInProgress', restore.ongoing)}${element('RestoreExpiryDate', restore.expires?.toISOString())}</RestoreStatus>`
      : '') +
    `<StorageClass>${object.storageClass}</StorageClass></Contents>`
  )
}
