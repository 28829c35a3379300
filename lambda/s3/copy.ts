import { encodePath } from './encode.ts'
import type { Answer } from './errors.ts'
import type { Operation } from './sender.ts'
import type { Header } from './signer.ts'
import { children, rootStart, unescapeXml, XmlError } from './xml.ts'

/** Optional headers of CopyObject by our names (S3 API reference; x-amz-object-annotation-directive since June 2026). */
const HEADERS = {
  metadataDirective: 'x-amz-metadata-directive',
  taggingDirective: 'x-amz-tagging-directive',
  annotationDirective: 'x-amz-object-annotation-directive',
  /** As a query string: `name=value&…`, percent-encoded. */
  tagging: 'x-amz-tagging',
  storageClass: 'x-amz-storage-class',
  serverSideEncryption: 'x-amz-server-side-encryption',
  sseKmsKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  bucketKeyEnabled: 'x-amz-server-side-encryption-bucket-key-enabled',
  acl: 'x-amz-acl',
  checksumAlgorithm: 'x-amz-checksum-algorithm',
  ifMatch: 'if-match',
  ifNoneMatch: 'if-none-match',
  copySourceIfMatch: 'x-amz-copy-source-if-match',
  requestPayer: 'x-amz-request-payer',
  expectedBucketOwner: 'x-amz-expected-bucket-owner',
  expectedSourceBucketOwner: 'x-amz-source-expected-bucket-owner',
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
  contentLanguage: 'content-language',
  contentDisposition: 'content-disposition',
  cacheControl: 'cache-control',
  expires: 'expires',
  websiteRedirectLocation: 'x-amz-website-redirect-location',
} as const

/** Asked by the few names that a request has: to ask a request for all of these takes longer than to sign it. */
const HEADER_OF = new Map<string, string>(Object.entries(HEADERS))

export type CopyRequest = {
  bucket: string
  key: string
  sourceBucket: string
  sourceKey: string
  sourceVersionId?: string | undefined
  /** Stands with `metadataDirective: 'REPLACE'`. Names without `x-amz-meta-`. */
  metadata?: Readonly<Record<string, string>> | undefined
  metadataDirective?: 'COPY' | 'REPLACE' | undefined
  taggingDirective?: 'COPY' | 'REPLACE' | undefined
  annotationDirective?: 'COPY' | 'EXCLUDE' | undefined
  /** `*`: only when there is no such object yet. */
  ifNoneMatch?: '*' | undefined
  requestPayer?: 'requester' | undefined
  signal?: AbortSignal | undefined
} & {
  [name in Exclude<
    keyof typeof HEADERS,
    'metadataDirective' | 'taggingDirective' | 'annotationDirective' | 'ifNoneMatch' | 'requestPayer'
  >]?: string | undefined
}

export type CopyAnswer = {
  /** Of the copy, with its quotes. */
  etag: string
  /** ISO 8601, as S3 writes it. */
  lastModified: string
  /** Of the copy, by algorithm as S3 names it (`CRC64NVME`, …), in Base64. */
  checksums: Record<string, string>
  /** FULL_OBJECT or COMPOSITE. */
  checksumType?: string
}

/**
 * Copies an object of up to 5 GiB within S3. The destination's region answers; the source may be in another. S3 may say
 * in the body of a success that the copy failed, or send an empty one.
 */
export const COPY_OBJECT: Operation<CopyRequest, CopyAnswer> = {
  request: (request) => {
    const { bucket, key, signal } = request
    return { method: 'PUT', bucket, key, headers: headersOf(request), signal }
  },
  read: parseCopyResult,
}

/** A copy's source as x-amz-copy-source has it: percent-encoded, so that nothing of the key is taken for a version. */
export function copySource(bucket: string, key: string, versionId?: string): string {
  const source = `${encodePath(bucket)}/${encodePath(key)}`
  return versionId === undefined ? source : `${source}?versionId=${encodeURIComponent(versionId)}`
}

function headersOf(request: CopyRequest): Header[] {
  const { sourceBucket, sourceKey, sourceVersionId, metadata } = request
  const headers: Header[] = [['x-amz-copy-source', copySource(sourceBucket, sourceKey, sourceVersionId)]]
  for (const [name, value] of Object.entries(request)) {
    const header = HEADER_OF.get(name)
    if (header !== undefined && value !== undefined) headers.push([header, value as string])
  }
  if (metadata !== undefined)
    for (const [name, value] of Object.entries(metadata))
      headers.push([`x-amz-meta-${name.toLowerCase()}`, value])
  return headers
}

/** Throws XmlError when the text is not a whole result. */
function parseCopyResult({ text }: Answer): CopyAnswer {
  const start = rootStart(text, 'CopyObjectResult')
  if (start === undefined) throw new XmlError('it has no CopyObjectResult')
  const result: CopyAnswer = { etag: '', lastModified: '', checksums: {} }
  children(text, start, 'CopyObjectResult', (name, from, to) => {
    if (name === 'ETag') result.etag = unescapeXml(text.slice(from, to))
    else if (name === 'LastModified') result.lastModified = text.slice(from, to)
    else if (name === 'ChecksumType') result.checksumType = text.slice(from, to)
    else if (name.startsWith('Checksum')) result.checksums[name.slice(8)] = unescapeXml(text.slice(from, to))
  })
  if (result.etag === '') throw new XmlError('it has no ETag')
  return result
}
