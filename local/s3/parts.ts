import { receivedContent } from './body.ts'
import { authorize, type BucketCall, header, type Reply } from './call.ts'
import { checksumElement, checksumHeader } from './checksums.ts'
import type { Content } from './content.ts'
import { openSource, tooLargeToCopy } from './copy.ts'
import { invalidArgument, S3Error } from './errors.ts'
import { encryptionHeaders } from './headers.ts'
import { MAX_PARTS, openUpload } from './multipart.ts'
import { MAX_PUT_BYTES } from './objects.ts'
import { contentEtag, type Part, type Upload } from './store.ts'
import { element, xmlDocument } from './xml.ts'

/** A range of the source can be copied only when the source is larger than this (API reference, UploadPartCopy). */
const MIN_RANGE_SOURCE_BYTES = 5 * 1024 ** 2

export async function uploadPart(call: BucketCall): Promise<Reply> {
  const { store, bucket, request, body } = call
  authorize(store, 's3:PutObject', bucket.name, request.key)
  partNumber(call)
  const upload = openUpload(call)
  const { content, checksum } = await receivedContent(request.headers, body)
  if (content.size > MAX_PUT_BYTES) throw new S3Error('EntityTooLarge')
  if (upload.checksum && checksum && checksum.algorithm !== upload.checksum.algorithm) {
    throw new S3Error(
      'InvalidRequest',
      `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksum.algorithm.toLowerCase()}, actual checksum Type: ${checksum.algorithm.toLowerCase()}`,
    )
  }
  const part = await addPart(call, upload, content)
  return {
    headers: {
      etag: `"${part.etag}"`,
      ...(checksum && { [checksumHeader(checksum.algorithm)]: checksum.value }),
      ...encryptionHeaders(upload.attributes.encryption ?? bucket.encryption),
    },
  }
}

export async function uploadPartCopy(call: BucketCall): Promise<Reply> {
  const { store, bucket, request } = call
  authorize(store, 's3:PutObject', bucket.name, request.key)
  partNumber(call)
  const upload = openUpload(call)
  const { object } = openSource(call)
  const part = await addPart(
    call,
    upload,
    sourceRange(object.content, header(request, 'x-amz-copy-source-range')),
  )
  return {
    headers: encryptionHeaders(upload.attributes.encryption ?? bucket.encryption),
    body: xmlDocument(
      'CopyPartResult',
      element('LastModified', new Date(part.lastModified).toISOString()) +
        element('ETag', `"${part.etag}"`) +
        partChecksum(upload, part),
    ),
  }
}

/** The bytes of x-amz-copy-source-range, which must lie within the source; all of them without the header. */
function sourceRange(content: Content, range: string | undefined): Content {
  const { size } = content
  if (size === 0) {
    throw new S3Error(
      'InvalidRequest',
      'The specified copy source is not supported as a byte-range copy source',
    )
  }
  if (range === undefined) {
    if (size > MAX_PUT_BYTES) throw tooLargeToCopy()
    return content
  }
  const match = /^bytes=(\d+)-(\d+)$/.exec(range)
  if (!match) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      range,
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    )
  }
  const [first, last] = [Number(match[1]), Number(match[2])]
  if (first > last || last >= size) {
    throw invalidArgument(
      'x-amz-copy-source-range',
      range,
      `Range specified is not valid for source object of size: ${size}`,
    )
  }
  if (size <= MIN_RANGE_SOURCE_BYTES) {
    throw new S3Error(
      'InvalidRequest',
      'The specified copy source is not supported as a byte-range copy source',
    )
  }
  if (last - first + 1 > MAX_PUT_BYTES) throw tooLargeToCopy()
  return content.slice(first, last + 1)
}

export function partChecksum({ checksum }: Upload, part: Part): string {
  return checksum && part.checksum ? element(checksumElement(checksum.algorithm), part.checksum) : ''
}

/** Keeps the content as a part of the upload, in place of one that had its number. */
async function addPart(call: BucketCall, upload: Upload, content: Content): Promise<Part> {
  const number = partNumber(call)
  const encryption = upload.attributes.encryption ?? call.bucket.encryption
  const part: Part = {
    number,
    content,
    etag: contentEtag(content, encryption),
    lastModified: Date.now(),
    ...(upload.checksum && { checksum: await content.checksum(upload.checksum.algorithm) }),
  }
  // Completed or aborted meanwhile?
  openUpload(call).parts.set(number, part)
  return part
}

/** Throws InvalidArgument unless it is 1 to 10,000. */
function partNumber({ request }: BucketCall): number {
  const text = request.query.get('partNumber') ?? ''
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > MAX_PARTS) {
    throw new S3Error(
      'InvalidArgument',
      `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
      {
        elements: { ArgumentName: 'partNumber', ArgumentValue: text },
      },
    )
  }
  return number
}
