import { encodePath } from './encode.ts'
import type { Answer } from './errors.ts'
import { type NamedHeaders, namedHeaders } from './headers.ts'
import type { Operation } from './sender.ts'
import { rootChildren, unescapeXml, XmlError } from './xml.ts'

export type CopyRequest = {
  bucket: string
  key: string
  sourceBucket: string
  sourceKey: string
  signal?: AbortSignal | undefined
  silenceMs?: number | undefined
} & NamedHeaders

/** Checksums by algorithm as S3 names it (`CRC64NVME`, …), in Base64. */
export type Checksums = Record<string, string>

export type CopyAnswer = {
  /** Of the copy, with its quotes. */
  etag: string
  /** Of the copy. */
  checksums: Checksums
  /** How the copy is encrypted: AES256, aws:kms, …. */
  encryption?: string | undefined
}

/**
 * Copies an object of up to 5 GiB within S3. The destination's region answers; the source may be in another. S3 may say
 * in the body of a success that the copy failed, or send an empty one.
 */
export const COPY_OBJECT: Operation<CopyRequest, CopyAnswer> = {
  request: (request) => {
    const { bucket, key, signal, silenceMs } = request
    const headers = namedHeaders(request)
    headers.push(['x-amz-copy-source', copySource(request.sourceBucket, request.sourceKey)])
    return { method: 'PUT', bucket, key, headers, signal, silenceMs }
  },
  read: (answer) => ({
    ...parseCopyResult(answer.text),
    encryption: answer.header('x-amz-server-side-encryption'),
  }),
}

/** A copy's source as x-amz-copy-source has it: percent-encoded, so that nothing of the key is taken for a version. */
export function copySource(bucket: string, key: string): string {
  return `${encodePath(bucket)}/${encodePath(key)}`
}

/** Reads a CopyObjectResult, CopyPartResult or CompleteMultipartUploadResult. Throws XmlError when the text is not a whole one. */
export function parseCopyResult(text: Answer['text']): Omit<CopyAnswer, 'encryption'> {
  const result: CopyAnswer = { etag: '', checksums: {} }
  rootChildren(text, (name, from, to) => {
    if (name === 'ETag') result.etag = unescapeXml(text.slice(from, to))
    else if (name.startsWith('Checksum') && name !== 'ChecksumType')
      result.checksums[name.slice(8)] = unescapeXml(text.slice(from, to))
  })
  if (result.etag === '') throw new XmlError('it has no ETag')
  return result
}
