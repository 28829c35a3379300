import type { OutgoingHttpHeaders } from 'node:http'
import { formDecode, toText } from './bytes.ts'
import { type Call, header } from './call.ts'
import { checksumHeader } from './checksums.ts'
import { invalidArgument, S3Error } from './errors.ts'
import type { Attributes, Bucket, Encryption, StoredObject } from './store.ts'

const SYSTEM = [
  'content-type',
  'content-language',
  'content-disposition',
  'cache-control',
  'expires',
] as const
const STORAGE_CLASSES = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
])
/** Names and values of the user metadata together, in bytes. */
const MAX_METADATA_BYTES = 2048
const META = 'x-amz-meta-'

/** Content headers and user metadata of a request that makes an object. Throws MetadataTooLarge. */
export function metadataOf({ request }: Call): Map<string, string> {
  const metadata = new Map<string, string>()
  for (const name of SYSTEM) {
    const value = header(request, name)
    if (value !== undefined) metadata.set(name, value)
  }
  if (!metadata.has('content-type')) metadata.set('content-type', 'binary/octet-stream')
  const encoding = (header(request, 'content-encoding') ?? '')
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '' && token !== 'aws-chunked')
  if (encoding.length > 0) metadata.set('content-encoding', encoding.join(','))
  let size = 0
  for (const [name, value] of Object.entries(request.headers)) {
    if (!name.startsWith(META) || value === undefined) continue
    const text = decodeWord(Array.isArray(value) ? value.join(',') : value)
    size += name.length - META.length + text.length
    metadata.set(name, text)
  }
  if (size > MAX_METADATA_BYTES) {
    throw new S3Error('MetadataTooLarge', undefined, {
      elements: { Size: size, MaxSizeAllowed: MAX_METADATA_BYTES },
    })
  }
  return metadata
}

/** Storage class, encryption, redirect and ACL of a request that makes an object, checked against the bucket. */
export function placementOf(call: Call, bucket: Bucket): Partial<Attributes> {
  const { request } = call
  const storageClass = header(request, 'x-amz-storage-class') ?? 'STANDARD'
  if (!STORAGE_CLASSES.has(storageClass)) throw new S3Error('InvalidStorageClass')
  const redirect = header(request, 'x-amz-website-redirect-location')
  const acl = header(request, 'x-amz-acl')
  const grants = Object.keys(request.headers).some((name) => name.startsWith('x-amz-grant-'))
  const refused = grants || (acl !== undefined && acl !== 'bucket-owner-full-control')
  if (bucket.ownership === 'BucketOwnerEnforced' && refused) {
    throw new S3Error('AccessControlListNotSupported')
  }
  return {
    storageClass,
    encryption: encryptionOf(call, bucket),
    ...(redirect !== undefined && { redirect }),
    ...(acl !== undefined && { acl }),
  }
}

function encryptionOf({ request }: Call, bucket: Bucket): Encryption {
  const customerKeyMd5 = header(request, 'x-amz-server-side-encryption-customer-key-md5')
  if (customerKeyMd5 !== undefined) return { algorithm: 'SSE-C', customerKeyMd5 }
  const algorithm = header(request, 'x-amz-server-side-encryption')
  if (algorithm === undefined) return bucket.encryption
  if (algorithm === 'AES256') return { algorithm }
  if (algorithm !== 'aws:kms' && algorithm !== 'aws:kms:dsse') {
    throw invalidArgument(
      'x-amz-server-side-encryption',
      algorithm,
      'The encryption method specified is not supported',
    )
  }
  const key = header(request, 'x-amz-server-side-encryption-aws-kms-key-id') ?? 'alias/aws/s3'
  const bucketKey = header(request, 'x-amz-server-side-encryption-bucket-key-enabled') === 'true'
  const path = key.startsWith('alias/') ? key : `key/${key}`
  const keyId = key.startsWith('arn:') ? key : `arn:aws:kms:${bucket.region}:${bucket.owner}:${path}`
  return { algorithm, keyId, ...(bucketKey && { bucketKey }) }
}

/** Tags of the x-amz-tagging header: `name=value&…`, form-encoded. */
export function taggingOf({ request }: Call): Map<string, string> {
  const raw = header(request, 'x-amz-tagging') ?? ''
  const pairs = raw === '' ? [] : raw.split('&').map((pair) => pair.split('=').map(formDecode))
  return checkedTags(
    pairs.map(([name, value = '']): [string, string] => {
      if (name === undefined) throw invalidTagging(raw)
      return [toText(name), toText(value)]
    }),
    () => invalidTagging(raw),
  )
}

function invalidTagging(raw: string): S3Error {
  return invalidArgument(
    'x-amz-tagging',
    raw,
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
  )
}

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** At most 10 tags, names of 1–128 and values of up to 256 allowed characters, no name twice (user guide, "object tagging"). */
export function checkedTags(
  pairs: readonly [string, string][],
  duplicate: () => S3Error,
): Map<string, string> {
  const tags = new Map(pairs)
  if (tags.size !== pairs.length) throw duplicate()
  if (tags.size > 10) throw new S3Error('BadRequest', 'Object tags cannot be greater than 10')
  for (const [name, value] of tags) {
    if (name.length === 0 || name.length > 128 || !TAG_TEXT.test(name))
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid')
    if (value.length > 256 || !TAG_TEXT.test(value))
      throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid')
  }
  return tags
}

export function encryptionHeaders({
  algorithm,
  keyId,
  bucketKey,
  customerKeyMd5,
}: Encryption): OutgoingHttpHeaders {
  if (algorithm === 'SSE-C') {
    return {
      'x-amz-server-side-encryption-customer-algorithm': 'AES256',
      'x-amz-server-side-encryption-customer-key-md5': customerKeyMd5,
    }
  }
  return {
    'x-amz-server-side-encryption': algorithm,
    ...(keyId !== undefined && { 'x-amz-server-side-encryption-aws-kms-key-id': keyId }),
    ...(bucketKey && { 'x-amz-server-side-encryption-bucket-key-enabled': 'true' }),
  }
}

/** The headers of GetObject and HeadObject that tell of the object as a whole. */
export function objectHeaders(object: StoredObject): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'accept-ranges': 'bytes' }
  for (const [name, value] of object.headers) headers[name] = name.startsWith(META) ? mailSafe(value) : value
  headers['last-modified'] = new Date(object.lastModified).toUTCString()
  headers.etag = `"${object.etag}"`
  if (object.storageClass !== 'STANDARD') headers['x-amz-storage-class'] = object.storageClass
  if (object.tags.size > 0) headers['x-amz-tagging-count'] = String(object.tags.size)
  if (object.redirect !== undefined) headers['x-amz-website-redirect-location'] = object.redirect
  if (object.archiveStatus !== undefined) headers['x-amz-archive-status'] = object.archiveStatus
  if (object.restore) {
    const { ongoing, expires } = object.restore
    const expiry = expires ? `, expiry-date="${expires.toUTCString()}"` : ''
    headers['x-amz-restore'] = `ongoing-request="${ongoing}"${expiry}`
  }
  return Object.assign(headers, encryptionHeaders(object.encryption))
}

/**
 * User metadata with other than ASCII comes back as an RFC 2047 encoded word of the bytes that were sent, each taken for
 * a Latin-1 character (user guide, "Working with object metadata": `ÄMÄZÕÑ S3` is encoded twice).
 */
function mailSafe(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  return `=?UTF-8?B?${Buffer.from(value, 'utf8').toString('base64')}?=`
}

/** Such a word is decoded before it is stored (user guide, "Working with object metadata"). */
function decodeWord(value: string): string {
  const [, text] = /^=\?UTF-8\?B\?([\w+/]*=*)\?=$/.exec(value) ?? []
  return text === undefined ? value : Buffer.from(text, 'base64').toString('utf8')
}

/** The object's checksum as headers: what was given with it, or the CRC64NVME that S3 adds. */
export async function checksumHeaders(object: StoredObject): Promise<OutgoingHttpHeaders> {
  const { algorithm, type, value } = await checksumOfObject(object)
  return { [checksumHeader(algorithm)]: value, 'x-amz-checksum-type': type }
}

export async function checksumOfObject(object: StoredObject): Promise<NonNullable<StoredObject['checksum']>> {
  return (
    object.checksum ?? {
      algorithm: 'CRC64NVME',
      type: 'FULL_OBJECT',
      value: await object.content.checksum('CRC64NVME'),
    }
  )
}
