import { type Checksums, type CopyAnswer, copySource, parseCopyResult } from './copy.ts'
import { type NamedHeaders, namedHeaders } from './headers.ts'
import type { Operation } from './sender.ts'
import type { Header } from './signer.ts'
import { children, element, rootChildren, unescapeXml, XmlError } from './xml.ts'

type Target = { bucket: string; key: string; signal?: AbortSignal | undefined }
type UploadTarget = Target & { uploadId: string } & NamedHeaders

/** A part that S3 has. */
export type Part = {
  /** 1 to 10,000. */
  number: number
  /** With its quotes. */
  etag: string
  checksums: Checksums
}

/** Begins an upload with all that the object will be besides its content; answers with the upload's id. */
export const CREATE_MULTIPART_UPLOAD: Operation<
  Target & NamedHeaders & { metadata: readonly Header[] },
  string
> = {
  request: ({ bucket, key, signal, metadata, ...named }) => ({
    method: 'POST',
    bucket,
    key,
    query: { uploads: '' },
    headers: [...metadata, ...namedHeaders(named)],
    signal,
  }),
  read: ({ text }) => {
    const id = element(text, 'UploadId')
    if (!id) throw new XmlError('it has no UploadId')
    return id
  },
}

export type UploadPartCopyRequest = UploadTarget & {
  partNumber: number
  sourceBucket: string
  sourceKey: string
  /** Bytes of the source, both ends included. */
  first: number
  last: number
  silenceMs?: number | undefined
}

/** Copies up to 5 GiB of another object into a part. Like CopyObject it may fail in the body of a success. */
export const UPLOAD_PART_COPY: Operation<UploadPartCopyRequest, Omit<Part, 'number'>> = {
  request: (request) => {
    const { bucket, key, uploadId, partNumber, sourceBucket, sourceKey, first, last } = request
    return {
      method: 'PUT',
      bucket,
      key,
      query: { partNumber: String(partNumber), uploadId },
      headers: [
        ...namedHeaders(request),
        ['x-amz-copy-source', copySource(sourceBucket, sourceKey)],
        ['x-amz-copy-source-range', `bytes=${first}-${last}`],
      ],
      signal: request.signal,
      silenceMs: request.silenceMs,
    }
  },
  read: ({ text }) => parseCopyResult(text),
}

/** The next 1,000 parts behind a number; `next` is missing on the last page. */
export const LIST_PARTS: Operation<
  UploadTarget & { after: number },
  { parts: (Part & { size: number })[]; next: number | undefined }
> = {
  request: ({ bucket, key, uploadId, after, signal, ...named }) => ({
    method: 'GET',
    bucket,
    key,
    query: { uploadId, 'part-number-marker': after === 0 ? undefined : String(after) },
    headers: namedHeaders(named),
    signal,
  }),
  read: ({ text }) => {
    const parts: (Part & { size: number })[] = []
    let truncated = false
    rootChildren(text, (name, from, to) => {
      if (name === 'Part') parts.push(readPart(text, from))
      else if (name === 'IsTruncated') truncated = text.slice(from, to) === 'true'
    })
    return { parts, next: truncated ? parts.at(-1)?.number : undefined }
  },
}

function readPart(text: string, start: number): Part & { size: number } {
  const part = { number: 0, etag: '', size: 0, checksums: {} as Checksums }
  children(text, start, 'Part', (name, from, to) => {
    const value = unescapeXml(text.slice(from, to))
    if (name === 'PartNumber') part.number = Number(value)
    else if (name === 'ETag') part.etag = value
    else if (name === 'Size') part.size = Number(value)
    else if (name.startsWith('Checksum')) part.checksums[name.slice(8)] = value
  })
  return part
}

export type CompleteRequest = UploadTarget & {
  parts: readonly Part[]
  /** Bytes of the whole: S3 refuses when its parts are not as many (x-amz-mp-object-size). */
  size: number
  /** Of the whole object: S3 refuses with BadDigest when it computes another. */
  checksum?: { algorithm: string; value: string } | undefined
}

/** Joins the parts, which takes up to minutes; S3 may answer with a success first and fail in its body. */
export const COMPLETE_MULTIPART_UPLOAD: Operation<CompleteRequest, CopyAnswer> = {
  request: ({ bucket, key, uploadId, parts, size, checksum, signal, ...named }) => {
    const headers: Header[] = [...namedHeaders(named), ['x-amz-mp-object-size', String(size)]]
    if (checksum)
      headers.push(
        [`x-amz-checksum-${checksum.algorithm.toLowerCase()}`, checksum.value],
        ['x-amz-checksum-type', 'FULL_OBJECT'],
      )
    const list = parts.map(
      ({ number, etag, checksums }) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${etag.replaceAll('"', '&quot;')}</ETag>${checksumXml(checksums)}</Part>`,
    )
    const body = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list.join('')}</CompleteMultipartUpload>`
    return { method: 'POST', bucket, key, query: { uploadId }, headers, body, signal }
  },
  read: ({ text }) => parseCopyResult(text),
}

function checksumXml(checksums: Checksums): string {
  return Object.entries(checksums)
    .map(([algorithm, value]) => `<Checksum${algorithm}>${value}</Checksum${algorithm}>`)
    .join('')
}

/** Drops an upload and its parts. */
export const ABORT_MULTIPART_UPLOAD: Operation<UploadTarget, void> = {
  request: ({ bucket, key, uploadId, signal, ...named }) => ({
    method: 'DELETE',
    bucket,
    key,
    query: { uploadId },
    headers: namedHeaders(named),
    signal,
  }),
  read: () => undefined,
}
