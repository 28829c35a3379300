import {
  ABORT_MULTIPART_UPLOAD,
  COMPLETE_MULTIPART_UPLOAD,
  CREATE_MULTIPART_UPLOAD,
  isThrottle,
  LIST_PARTS,
  type Part,
  PUT_OBJECT_TAGGING,
  S3Error,
  UPLOAD_PART_COPY,
} from '../s3/index.ts'
import { GotFurther, OutOfTime, Refused } from './caller.ts'
import { copyGuards, placement, storageClassOf } from './headers.ts'
import { type CopyJob, perform, Taken, targetOf } from './job.ts'
import { type PartRange, partsOf } from './parts.ts'
import { sideBySide } from './side-by-side.ts'
import { type Checksum, changed, type Source } from './source.ts'

/** What a header may hold of tags: S3 takes 8 KB for all headers together, and 2 KB of tags in one (AWS CLI, s3 subcommands). */
export const TAGGING_BYTES = 2048
/** Parts of one object under way at once. */
const AT_ONCE = 64

/** A multipart upload and the source that it is made from, which it never mixes with another version. */
export type Upload = { id: string; etag: string; size: number }

/** Begins the upload of an object with all that belongs to it. */
export async function begin(job: CopyJob, source: Source): Promise<Upload> {
  const { run } = job
  const { checksum, metadata, tagging, redirect, etag, size } = source
  const request = {
    ...targetOf(job),
    metadata,
    ...(tagging !== '' && tagging.length <= TAGGING_BYTES && { tagging }),
    ...(redirect !== undefined && { websiteRedirectLocation: redirect }),
    ...(checksum && { checksumAlgorithm: checksum.algorithm, checksumType: checksum.type }),
    ...storageClassOf(source.storageClass, run.options ?? {}),
    ...placement(run),
  }
  return { id: await perform(job, CREATE_MULTIPART_UPLOAD, request), etag, size }
}

/**
 * Copies the parts that S3 does not have yet, and joins all.
 * @throws Taken, S3Error (`ChecksumMismatch` when the copy's checksum is not the source's), OutOfTime, Refused
 */
export async function transfer(job: CopyJob, upload: Upload, checksum: Checksum | undefined): Promise<void> {
  const parts = job.object.upload === upload.id ? await partsThere(job, upload) : new Map<number, Part>()
  const before = parts.size
  const ranges = partsOf(upload.size)
  // As many loops as parts are copied at once, each taking the next part.
  const errors = await sideBySide(AT_ONCE, async (errors) => {
    for (const range of ranges) {
      if (errors.length > 0) return
      if (!parts.has(range.number)) parts.set(range.number, await copyPart(job, upload, range))
    }
  })
  const definite = errors.find((error) => !(error instanceof OutOfTime || error instanceof Refused))
  if (definite) throw definite
  if (errors.length === 0) {
    const inOrder = [...parts.values()].sort((a, b) => a.number - b.number)
    await join(job, upload, inOrder, checksum).catch((error: unknown) => {
      // One that S3 failed at counts: it may take effect all the same, so that all begins anew.
      const isThrottled = error instanceof Refused && isThrottle(error.last)
      if (!(error instanceof OutOfTime || isThrottled)) throw error
      errors.push(error)
    })
  }
  // What got any further is not refused: the next task goes on with it.
  if (errors.length > 0) throw parts.size > before ? new GotFurther() : errors[0]
}

async function copyPart(job: CopyJob, upload: Upload, { number, first, last }: PartRange): Promise<Part> {
  const { run, object, s3, caller } = job
  const request = {
    ...uploadRequest(job, upload),
    ...copyGuards(run.options ?? {}),
    partNumber: number,
    sourceBucket: run.source.bucket,
    sourceKey: object.key,
    copySourceIfMatch: `"${upload.etag}"`,
    first,
    last,
  }
  const { etag, checksums } = await caller
    .call((how) => s3.perform(UPLOAD_PART_COPY, { ...request, ...how }), last - first + 1)
    .catch((error: unknown) => {
      throw isBeyondEnd(error) ? changed('while it was copied') : error
    })
  return { number, etag, checksums }
}

/** A range that did lie within the source. Whether S3 looks at it before the ETag, when both are wrong, is not said. */
function isBeyondEnd(error: unknown): boolean {
  if (!(error instanceof S3Error)) return false
  return /^Invalid(Argument|Range|Request)$/.test(error.code) && /\brange\b/i.test(error.message)
}

/**
 * Joins the parts. S3 may take minutes for it (S3 API reference, CompleteMultipartUpload), and when it is cut off the whole
 * object is copied again. So it is begun in the first half of a task's time only, however short that is: else a later task
 * begins with it.
 */
async function join(
  job: CopyJob,
  upload: Upload,
  parts: Part[],
  checksum: Checksum | undefined,
): Promise<void> {
  const { run, s3, caller } = job
  const expected = checksum?.value !== undefined && { algorithm: checksum.algorithm, value: checksum.value }
  const request = {
    ...uploadRequest(job, upload),
    ...(run.options?.overwrite === 'never' && { ifNoneMatch: '*' as const }),
    parts,
    size: upload.size,
    ...(expected && { checksum: expected }),
  }
  const answer = await caller
    .call((how) => s3.perform(COMPLETE_MULTIPART_UPLOAD, { ...request, ...how }), 0, caller.halfMs)
    .catch((error: unknown) => {
      if (error instanceof S3Error && error.code === 'PreconditionFailed') throw new Taken()
      // Another write of this key came between, after which S3 may want the upload to be begun anew.
      throw error instanceof Refused && error.last.code === 'ConditionalRequestConflict' ? error.last : error
    })
  const actual = expected && answer.checksums[expected.algorithm]
  if (expected && actual !== undefined && actual !== expected.value)
    throw new S3Error(
      'ChecksumMismatch',
      `the copy's ${expected.algorithm} is ${actual} and the source's ${expected.value}; the copy is at the destination and should not be used`,
      { status: 200 },
    )
}

/** Sets tags that are too many for the request that begins an upload. */
export async function setTags(job: CopyJob, tagging: string): Promise<void> {
  await perform(job, PUT_OBJECT_TAGGING, { ...targetOf(job), tagging })
}

/** The parts that an earlier attempt copied. */
async function partsThere(job: CopyJob, upload: Upload): Promise<Map<number, Part>> {
  const there = new Map<number, Part>()
  // Parts of another length are those of another version of this code.
  const lengths = new Map<number, number>()
  for (const { number, first, last } of partsOf(upload.size)) lengths.set(number, last - first + 1)
  let after: number | undefined = 0
  while (after !== undefined) {
    const page: { parts: (Part & { size: number })[]; next: number | undefined } = await perform(
      job,
      LIST_PARTS,
      { ...uploadRequest(job, upload), after },
    )
    for (const part of page.parts) if (part.size === lengths.get(part.number)) there.set(part.number, part)
    after = page.next
  }
  return there
}

/** Drops an upload, so that nobody pays for its parts. What can't be dropped is left to the bucket's lifecycle. */
export async function drop(job: CopyJob, upload: Upload): Promise<void> {
  const request = uploadRequest(job, upload)
  await job.caller.tidy(({ signal }) => job.s3.perform(ABORT_MULTIPART_UPLOAD, { ...request, signal }))
}

function uploadRequest(job: CopyJob, { id }: Upload) {
  return { ...targetOf(job), uploadId: id }
}
