import type { Answer } from './errors.ts'
import { namedHeaders } from './headers.ts'
import type { Operation } from './sender.ts'
import type { Header } from './signer.ts'

/** A request about an object that is there. */
export type ObjectRequest = {
  bucket: string
  key: string
  requestPayer?: 'requester' | undefined
  expectedBucketOwner?: string | undefined
  signal?: AbortSignal | undefined
}

export type HeadAnswer = {
  /** Bytes. */
  size: number
  /** With its quotes. */
  etag: string
  /** Content headers and user metadata as S3 gives them; values are byte strings. */
  metadata: Header[]
  /** Entries of user metadata that S3 leaves out, since no header can hold them (written by SOAP). */
  missingMetadata: number
  /** Missing for STANDARD. */
  storageClass: string | undefined
  redirect: string | undefined
  /** AES256, aws:kms, …; missing where S3 does not say. */
  encryption: string | undefined
  checksum: { algorithm: string; value: string; type: string | undefined } | undefined
}

const CONTENT = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'cache-control',
  'expires',
])
const META = 'x-amz-meta-'
const CHECKSUM = /^x-amz-checksum-(?!type$|mode$|algorithm$)(\w+)$/

/** What S3 knows of an object besides its content and tags. An error has no code but what its status tells. */
export const HEAD_OBJECT: Operation<ObjectRequest, HeadAnswer> = {
  request: ({ bucket, key, signal, ...named }) => ({
    method: 'HEAD',
    bucket,
    key,
    headers: [...namedHeaders(named), ['x-amz-checksum-mode', 'ENABLED']],
    signal,
  }),
  read: readHead,
}

/**
 * Reads a byte of an object, or nothing of an empty one: says with a code and in words what HEAD is refused with, and takes the
 * right to decrypt, which HEAD does not always.
 */
export const GET_FIRST_BYTE: Operation<ObjectRequest, void> = {
  opaque: true,
  request: ({ bucket, key, signal, ...named }) => ({
    method: 'GET',
    bucket,
    key,
    headers: [...namedHeaders(named), ['range', 'bytes=0-0']],
    signal,
  }),
  read: () => undefined,
}

function readHead(answer: Answer): HeadAnswer {
  const headers = answer.headers()
  const [name, value] = headers.find(([name]) => CHECKSUM.test(name)) ?? []
  return {
    size: Number(answer.header('content-length')),
    etag: answer.header('etag') ?? '',
    metadata: headers.filter(([name]) => CONTENT.has(name) || name.startsWith(META)),
    missingMetadata: Number(answer.header('x-amz-missing-meta') ?? 0),
    storageClass: answer.header('x-amz-storage-class'),
    redirect: answer.header('x-amz-website-redirect-location'),
    encryption: answer.header('x-amz-server-side-encryption'),
    checksum:
      name === undefined || value === undefined
        ? undefined
        : {
            algorithm: (CHECKSUM.exec(name)?.[1] ?? '').toUpperCase(),
            value,
            type: answer.header('x-amz-checksum-type'),
          },
  }
}
