import { receivedContent } from './body.ts'
import { toBytes, toText } from './bytes.ts'
import { authorize, type BucketCall, header, isAllowed, type Reply } from './call.ts'
import { checkWriteConditions, isNotModified } from './conditions.ts'
import { S3Error } from './errors.ts'
import {
  checksumHeaders,
  encryptionHeaders,
  metadataOf,
  objectHeaders,
  placementOf,
  taggingOf,
} from './headers.ts'
import { newObject, type StoredObject } from './store.ts'
import { children, childText, element, parseXml, xmlDocument } from './xml.ts'

/** Bytes that one PutObject, UploadPart or CopyObject can move at most: 5 GiB. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3

const OVERRIDES = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
]

/** The object that a request names. Without the right to list, a missing one looks like a forbidden one. */
export function existingObject({ store, bucket, request }: BucketCall): StoredObject {
  const object = bucket.objects.get(request.key)
  if (object) return object
  authorize(store, 's3:ListBucket', bucket.name)
  throw new S3Error('NoSuchKey', undefined, { elements: { Key: toText(request.key) } })
}

export function isArchived({ storageClass, restore, archiveStatus }: StoredObject): boolean {
  const archived =
    storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE' || archiveStatus !== undefined
  return archived && !(restore && !restore.ongoing)
}

/** The customer's key must come with every use of an object encrypted under SSE-C. */
export function checkCustomerKey(object: StoredObject, keyMd5: string | undefined): void {
  if (object.encryption.customerKeyMd5 === keyMd5) return
  if (keyMd5 !== undefined && object.encryption.customerKeyMd5 !== undefined)
    throw new S3Error('AccessDenied')
  throw new S3Error(
    'InvalidRequest',
    keyMd5 === undefined
      ? 'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.'
      : 'The encryption parameters are not applicable to this object.',
  )
}

export async function putObject(call: BucketCall): Promise<Reply> {
  const { store, bucket, request, body } = call
  authorize(store, 's3:PutObject', bucket.name, request.key)
  const { content, checksum } = await receivedContent(request.headers, body)
  if (content.size > MAX_PUT_BYTES) throw new S3Error('EntityTooLarge')
  const tags = taggingOf(call)
  if (tags.size > 0) authorize(store, 's3:PutObjectTagging', bucket.name, request.key)
  const object = newObject(bucket, content, {
    headers: metadataOf(call),
    tags,
    ...placementOf(call, bucket),
    ...(checksum && { checksum: { ...checksum, type: 'FULL_OBJECT' } }),
  })
  if (object.encryption.keyId !== undefined) authorize(store, 'kms:GenerateDataKey', bucket.name, request.key)
  const checksums = await checksumHeaders(object)
  checkWriteConditions(call, bucket.objects.get(request.key))
  bucket.objects.set(request.key, object)
  return { headers: { etag: `"${object.etag}"`, ...checksums, ...encryptionHeaders(object.encryption) } }
}

export async function getObject(call: BucketCall): Promise<Reply> {
  const { store, bucket, request } = call
  const object = readableObject(call)
  if (isArchived(object)) throw invalidObjectState(object)
  if (object.encryption.keyId !== undefined) authorize(store, 'kms:Decrypt', bucket.name, request.key)
  return describe(call, object)
}

export async function headObject(call: BucketCall): Promise<Reply> {
  return describe(call, readableObject(call))
}

function readableObject(call: BucketCall): StoredObject {
  const { store, bucket, request } = call
  authorize(store, 's3:GetObject', bucket.name, request.key)
  const object = existingObject(call)
  checkCustomerKey(object, header(request, 'x-amz-server-side-encryption-customer-key-md5'))
  return object
}

/** The answer to GetObject; HeadObject's is the same without the body. */
async function describe(call: BucketCall, object: StoredObject): Promise<Reply> {
  const { request } = call
  const headers = objectHeaders(object)
  for (const name of OVERRIDES) {
    const value = request.query.get(`response-${name}`)
    if (value !== undefined) headers[name] = value
  }
  if (isNotModified(call, object)) return { status: 304, headers }
  const range =
    partRange(object, request.query.get('partNumber')) ?? byteRange(object, header(request, 'range'))
  if (object.partSizes && request.query.has('partNumber'))
    headers['x-amz-mp-parts-count'] = object.partSizes.length
  if (!range) {
    if (header(request, 'x-amz-checksum-mode') === 'ENABLED')
      Object.assign(headers, await checksumHeaders(object))
    return { headers, body: object.content }
  }
  headers['content-range'] = `bytes ${range.start}-${range.end - 1}/${object.content.size}`
  return { status: 206, headers, body: object.content.slice(range.start, range.end) }
}

function invalidObjectState(object: StoredObject): S3Error {
  return new S3Error('InvalidObjectState', undefined, { elements: { StorageClass: object.storageClass } })
}

type ByteRange = { start: number; end: number }

/** The bytes of a Range header, `end` excluded; undefined when it is no byte range, which S3 ignores. Throws InvalidRange. */
function byteRange({ content: { size } }: StoredObject, range: string | undefined): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? []
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size)
  if (start >= size || (first !== '' && last !== '' && Number(last) < start)) {
    throw new S3Error('InvalidRange', undefined, {
      elements: { RangeRequested: range ?? '', ActualObjectSize: size },
    })
  }
  return { start, end }
}

function partRange(object: StoredObject, number: string | undefined): ByteRange | undefined {
  if (number === undefined) return undefined
  const sizes = object.partSizes ?? [object.content.size]
  const size = sizes[Number(number) - 1]
  if (size === undefined) throw new S3Error('InvalidRange', 'The requested partnumber is not satisfiable')
  const start = sizes.slice(0, Number(number) - 1).reduce((sum, part) => sum + part, 0)
  return size === 0 ? undefined : { start, end: start + size }
}

export function deleteObject(call: BucketCall): Reply {
  const { store, bucket, request } = call
  authorize(store, 's3:DeleteObject', bucket.name, request.key)
  checkWriteConditions(call, bucket.objects.get(request.key))
  bucket.objects.delete(request.key)
  return { status: 204 }
}

/** Up to 1,000 keys at once; a key that isn't there counts as deleted. */
export function deleteObjects({ store, bucket, body }: BucketCall): Reply {
  const root = parseXml(body.bytes, 'Delete')
  const keys = children(root, 'Object').map((object) => childText(object, 'Key'))
  if (keys.length === 0 || keys.length > 1000) throw new S3Error('MalformedXML')
  const quiet = childText(root, 'Quiet') === 'true'
  const results = keys.map((key) => {
    if (key === undefined) throw new S3Error('MalformedXML')
    const bytes = toBytes(key)
    if (!isAllowed(store, 's3:DeleteObject', bucket.name, bytes)) {
      return `<Error>${element('Key', key)}${element('Code', 'AccessDenied')}${element('Message', 'Access Denied')}</Error>`
    }
    bucket.objects.delete(bytes)
    return quiet ? '' : `<Deleted>${element('Key', key)}</Deleted>`
  })
  return { body: xmlDocument('DeleteResult', results.join('')) }
}
