import type { Header } from './signer.ts'

/** Optional headers of the calls that make an object, by our names (S3 API reference, CopyObject and CreateMultipartUpload). */
const HEADERS = {
  taggingDirective: 'x-amz-tagging-directive',
  /** Since June 2026. */
  annotationDirective: 'x-amz-object-annotation-directive',
  /** As a query string: `name=value&…`, percent-encoded. */
  tagging: 'x-amz-tagging',
  storageClass: 'x-amz-storage-class',
  serverSideEncryption: 'x-amz-server-side-encryption',
  sseKmsKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  bucketKeyEnabled: 'x-amz-server-side-encryption-bucket-key-enabled',
  acl: 'x-amz-acl',
  checksumAlgorithm: 'x-amz-checksum-algorithm',
  checksumType: 'x-amz-checksum-type',
  ifNoneMatch: 'if-none-match',
  copySourceIfMatch: 'x-amz-copy-source-if-match',
  requestPayer: 'x-amz-request-payer',
  expectedBucketOwner: 'x-amz-expected-bucket-owner',
  expectedSourceBucketOwner: 'x-amz-source-expected-bucket-owner',
  websiteRedirectLocation: 'x-amz-website-redirect-location',
} as const

/** A map, to look up the few names that a request has: to look for each of these names in the request takes longer than to sign it. */
const HEADER_OF = new Map<string, string>(Object.entries(HEADERS))

type Choices = {
  taggingDirective?: 'COPY' | 'REPLACE' | undefined
  annotationDirective?: 'COPY' | 'EXCLUDE' | undefined
  /** `*`: only when there is no such object yet. */
  ifNoneMatch?: '*' | undefined
  requestPayer?: 'requester' | undefined
}

/** Values are byte strings: a character is a byte on the wire. */
export type NamedHeaders = Choices & {
  [name in Exclude<keyof typeof HEADERS, keyof Choices>]?: string | undefined
}

/** The headers that a request names; its other fields are passed over. */
export function namedHeaders(request: NamedHeaders): Header[] {
  const headers: Header[] = []
  let name: keyof NamedHeaders
  for (name in request) {
    const header = HEADER_OF.get(name)
    const value = header && request[name]
    if (header !== undefined && value !== undefined) headers.push([header, value])
  }
  return headers
}
