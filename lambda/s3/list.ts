import { decodeListed } from './encode.ts'
import type { Answer } from './errors.ts'
import { namedHeaders } from './headers.ts'
import type { Operation, S3Request } from './sender.ts'
import { children, rootStart, unescapeXml, XmlError } from './xml.ts'

export type ListRequest = {
  bucket: string
  prefix?: string | undefined
  /** Keys behind this one, in UTF-8 order; any text may be given. */
  startAfter?: string | undefined
  /** Up to 1,000, which is the default (S3 API reference, ListObjectsV2). */
  maxKeys?: number | undefined
  delimiter?: string | undefined
  continuationToken?: string | undefined
  requestPayer?: 'requester' | undefined
  /** Account id; S3 refuses with AccessDenied when the bucket is another's. */
  expectedBucketOwner?: string | undefined
  optionalObjectAttributes?: 'RestoreStatus' | undefined
  signal?: AbortSignal | undefined
}

export type ListedObject = {
  key: string
  /** Bytes. */
  size: number
  /** With its quotes. */
  etag: string
  /** ISO 8601, as S3 writes it. */
  lastModified?: string
  storageClass?: string
  /** Present when it was asked for and the object is archived and restored, or about to be. */
  restoreStatus?: RestoreStatus
}

type RestoreStatus = { inProgress: boolean }

export type ListAnswer = {
  /** In S3's order; may be fewer than asked for, even none, with more to come. */
  objects: ListedObject[]
  commonPrefixes: string[]
  isTruncated: boolean
  /** Present exactly when the answer is truncated. */
  nextContinuationToken?: string
}

/** One page of a listing. */
export const LIST_OBJECTS_V2: Operation<ListRequest, ListAnswer> = { request: toRequest, read: parseListing }

function toRequest(request: ListRequest): S3Request {
  const { bucket, signal } = request
  const headers = namedHeaders(request)
  if (request.optionalObjectAttributes)
    headers.push(['x-amz-optional-object-attributes', request.optionalObjectAttributes])
  const query = {
    'list-type': '2',
    // XML has no room for control characters.
    'encoding-type': 'url',
    prefix: request.prefix || undefined,
    'start-after': request.startAfter || undefined,
    'max-keys': request.maxKeys?.toString(),
    delimiter: request.delimiter || undefined,
    'continuation-token': request.continuationToken,
  }
  return { method: 'GET', bucket, query, headers, signal }
}

/** Throws XmlError or URIError when the text is not a whole listing. */
function parseListing({ text }: Pick<Answer, 'text'>): ListAnswer {
  const start = rootStart(text, 'ListBucketResult')
  if (start === undefined) throw new XmlError('it has no ListBucketResult')
  // Servers that don't know the encoding say so by leaving this out. No key can hold it unescaped.
  const encoded = text.includes('<EncodingType>url</EncodingType>')
  const key = (from: number, to: number) => {
    const raw = unescapeXml(text.slice(from, to))
    return encoded ? decodeListed(raw) : raw
  }
  const objects: ListedObject[] = []
  const commonPrefixes: string[] = []
  let truncated: string | undefined
  let token: string | undefined
  children(text, start, 'ListBucketResult', (name, from, to) => {
    if (name === 'Contents') objects.push(parseObject(text, from, key))
    else if (name === 'IsTruncated') truncated = text.slice(from, to)
    else if (name === 'NextContinuationToken') token = unescapeXml(text.slice(from, to))
    else if (name === 'CommonPrefixes')
      children(text, from, 'CommonPrefixes', (_, begin, end) => commonPrefixes.push(key(begin, end)))
  })
  if (truncated === undefined) throw new XmlError('it does not say whether more follows')
  const isTruncated = truncated === 'true'
  if (!isTruncated) return { objects, commonPrefixes, isTruncated }
  if (!token) throw new XmlError('more follows but it does not say where')
  return { objects, commonPrefixes, isTruncated, nextContinuationToken: token }
}

function parseObject(
  text: string,
  start: number,
  decode: (from: number, to: number) => string,
): ListedObject {
  const object: ListedObject = { key: '', size: Number.NaN, etag: '' }
  children(text, start, 'Contents', (name, from, to) => {
    if (name === 'Key') object.key = decode(from, to)
    else if (name === 'Size') object.size = Number.parseInt(text.slice(from, to), 10)
    else if (name === 'ETag') object.etag = unescapeXml(text.slice(from, to))
    else if (name === 'LastModified') object.lastModified = text.slice(from, to)
    else if (name === 'StorageClass') object.storageClass = text.slice(from, to)
    else if (name === 'RestoreStatus') object.restoreStatus = parseRestoreStatus(text, from)
  })
  if (object.key === '' || Number.isNaN(object.size)) throw new XmlError('an object has no key or no size')
  return object
}

function parseRestoreStatus(text: string, start: number): RestoreStatus {
  const status: RestoreStatus = { inProgress: false }
  children(text, start, 'RestoreStatus', (name, from, to) => {
    if (name === 'IsRestoreInProgress') status.inProgress = text.slice(from, to) === 'true'
  })
  return status
}
