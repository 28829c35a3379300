import {
  failureOf,
  GET_FIRST_BYTE,
  GET_OBJECT_TAGGING,
  HEAD_OBJECT,
  type HeadAnswer,
  type Header,
  isTransient,
  type ObjectRequest,
  type S3,
  S3Error,
} from '../s3/index.ts'
import { type CopyJob, perform, sourceOf, unquoted } from './job.ts'

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
export async function readSource(job: CopyJob): Promise<Source> {
  const { run, object } = job
  const options = run.options ?? {}
  const head = await headOf(job)
  const etag = unquoted(head.etag)
  if (options.ifChanged && object.etag !== undefined && object.etag !== etag)
    throw changed('since it was listed')
  if (head.missingMetadata > 0)
    throw new S3Error(
      'UnreadableMetadata',
      `${head.missingMetadata} of its user metadata entries can't be read over HTTP, so a multipart copy would lose them`,
      { status: 200 },
    )
  const tagging = options.tags === 'skip' ? '' : await perform(job, GET_OBJECT_TAGGING, sourceOf(job))
  return {
    etag,
    size: head.size,
    storageClass: head.storageClass,
    // Of what is more than ASCII S3 makes encoded words (RFC 2047), and takes them as such.
    metadata: head.metadata,
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

/** What S3 says of a source that is not the version any more that was meant. */
export function changed(when: string): S3Error {
  return new S3Error('PreconditionFailed', `it changed ${when}`, { status: 412 })
}

/** The source as it is now. @throws S3Error, OutOfTime, Refused */
export function headOf(job: CopyJob): Promise<HeadAnswer> {
  return job.caller.call(({ signal }) => head(job.s3, { ...sourceOf(job), signal }))
}

/** The answer to HEAD has no room for a code: what it is refused with, a read of the object says. */
async function head(s3: Pick<S3, 'perform'>, request: ObjectRequest): Promise<HeadAnswer> {
  try {
    return await s3.perform(HEAD_OBJECT, request)
  } catch (error) {
    if (!(error instanceof S3Error) || isTransient(error)) throw error
    const reason = await failureOf(s3.perform(GET_FIRST_BYTE, request))
    // Of an empty object there is no first byte.
    if (reason && reason.code !== 'InvalidRange') throw reason
    throw new S3Error('RequestTimeout', 'S3 refused HeadObject, but not GetObject', { status: 0 })
  }
}
