import { GET_OBJECT_TAGGING, HEAD_OBJECT, type Header, S3Error } from '../s3/index.ts'
import { sourceGuards } from './headers.ts'
import { type CopyJob, unquoted } from './job.ts'
import { decodeMailWords } from './mail-words.ts'

/** A checksum for the copy; with the source's value where it is one of all its bytes, which the copy's has to equal. */
export type Checksum = { algorithm: string; type: 'FULL_OBJECT' | 'COMPOSITE'; value: string | undefined }

/** All that an object is besides its content. */
export type Source = {
  /** Without quotes. */
  etag: string
  size: number
  storageClass: string | undefined
  /** As headers that make another object the same. */
  metadata: Header[]
  /** As x-amz-tagging; empty without tags. */
  tagging: string
  redirect: string | undefined
  checksum: Checksum | undefined
}

/** Algorithms of multipart uploads by what their checksums are of (S3 user guide, "Checking object integrity"). */
const WHOLE = ['CRC64NVME', 'CRC32', 'CRC32C']
const OF_PARTS = ['SHA1', 'SHA256']

/**
 * Reads what a multipart copy has to carry along by itself.
 * @throws S3Error also when the source changed since it was listed and the run wants that to fail
 */
export async function readSource({ run, object, s3, caller }: CopyJob): Promise<Source> {
  const options = run.options ?? {}
  const request = { bucket: run.source.bucket, key: object.key, ...sourceGuards(options) }
  const head = await caller
    .call(({ signal }) => s3.perform(HEAD_OBJECT, { ...request, signal }))
    .catch((error: unknown) => {
      throw named(error)
    })
  const etag = unquoted(head.etag)
  if (options.ifChanged && object.etag !== undefined && object.etag !== etag)
    throw new S3Error('PreconditionFailed', 'it changed since it was listed', { status: 412 })
  if (head.missingMetadata > 0)
    throw new S3Error(
      'UnreadableMetadata',
      `${head.missingMetadata} of its entries of user metadata can't be read over HTTP, so that a copy in parts would lose them`,
      { status: 200 },
    )
  const tagging =
    options.tags === 'skip'
      ? ''
      : await caller.call(({ signal }) => s3.perform(GET_OBJECT_TAGGING, { ...request, signal }))
  return {
    etag,
    size: head.size,
    storageClass: head.storageClass,
    metadata: head.metadata.map(([name, value]) => [name, decodeMailWords(value)]),
    tagging,
    redirect: options.websiteRedirects && head.redirect,
    checksum: checksumFor(head.checksum),
  }
}

/** The copy gets the source's algorithm, as it would by CopyObject. Unknown ones are left to S3, which has a default. */
function checksumFor(
  source: { algorithm: string; value: string; type: string | undefined } | undefined,
): Checksum | undefined {
  if (!source) return undefined
  const { algorithm, value, type } = source
  if (WHOLE.includes(algorithm))
    return { algorithm, type: 'FULL_OBJECT', value: type === 'FULL_OBJECT' ? value : undefined }
  if (OF_PARTS.includes(algorithm)) return { algorithm, type: 'COMPOSITE', value: undefined }
  return undefined
}

/** The answer to HEAD has no room for a code; these are those that CopyObject would give. */
export function named(error: unknown): unknown {
  if (!(error instanceof S3Error)) return error
  const { status } = error
  if (status === 404) return new S3Error('NoSuchKey', 'The specified key does not exist.', { status })
  if (status === 403) return new S3Error('AccessDenied', 'S3 refused to tell of the object', { status })
  if (status === 400)
    return new S3Error(
      'InvalidRequest',
      'S3 refused to tell of the object; is it encrypted with a key of your own (SSE-C)?',
      { status },
    )
  return error
}
