import type { Listed } from '../../protocol/task.ts'
import { S3Error } from '../s3/index.ts'
import { copyAnnotations } from './annotations.ts'
import { OutOfTime, Refused } from './caller.ts'
import { isReclassed } from './headers.ts'
import { type Copy, type CopyJob, Taken, unquoted } from './job.ts'
import { WHOLE_BYTES } from './parts.ts'
import { changed, headOf, readSource, type Source } from './source.ts'
import { begin, drop, setTags, TAGGING_BYTES, transfer, type Upload } from './upload.ts'
import { copyWhole } from './whole.ts'

/** Times that an object is begun because it changed, or its upload can't be finished. */
const BEGINNINGS = 4

/** A later task can go on with what is done of an object; the reason says why this one ends. */
export class Unfinished extends Error {
  readonly object: Listed
  readonly reason: OutOfTime | Refused
  constructor(object: Listed, reason: OutOfTime | Refused) {
    super(reason.message)
    this.object = object
    this.reason = reason
  }
}

/**
 * Copies an object in parts, many at once, with all that a CopyObject would carry along: S3 carries nothing here.
 *
 * The source is pinned by its ETag. When it changes half-way the upload is dropped, and the object is begun anew. An
 * upload that fails for good is dropped too; one that only lacks time is handed on.
 * @throws S3Error, Taken, Unfinished, OutOfTime, Refused
 */
export async function copyInParts(job: CopyJob): Promise<Copy> {
  const { object, run } = job
  let upload = resumable(object)
  let { annotate } = object
  for (let beginnings = 1; ; beginnings++) {
    try {
      const source = await readSource(job).catch((error: unknown) => {
        throw annotate !== undefined && isMissing(error) ? goneTooEarly() : error
      })
      if (annotate !== undefined) {
        if (source.etag === object.etag) return await finish(job, source, annotate)
        // The copy of the version before would be in the way.
        if (run.options?.overwrite === 'never') throw perhapsIncomplete()
        annotate = undefined
      }
      if (upload && upload.etag !== source.etag) {
        await drop(job, upload)
        upload = undefined
      }
      if (!upload) {
        if (source.size <= WHOLE_BYTES) return await copyWhole(asItIsNow(job, source))
        upload = await begin(job, source)
      }
      await transfer(job, upload, source.checksum).catch((error: unknown) => {
        throw error instanceof Taken && isUnfinished(job, source) ? perhapsIncomplete() : error
      })
      return await finish(job, source)
    } catch (error) {
      if (error instanceof Unfinished) throw error
      if (upload && canBeHandedOn(error, job)) {
        const { id, etag, size } = upload
        throw new Unfinished({ ...object, etag, size, upload: id, annotate }, error)
      }
      if (upload && !isGone(error)) await drop(job, upload)
      const anew = isChanged(error) ? !run.options?.ifChanged : isGone(error) || isSpoilt(error)
      if (!anew || beginnings === BEGINNINGS) throw error
      upload = undefined
    }
  }
}

/** Whether the object may lack anything once its parts are joined. */
function isUnfinished({ run }: CopyJob, { tagging }: Source): boolean {
  return tagging.length > TAGGING_BYTES || run.options?.annotations !== undefined
}

/** Nobody can tell who wrote what the destination has. If it was an attempt that was cut off, no later run would set what is missing. */
function perhapsIncomplete(): S3Error {
  return new S3Error(
    'IncompleteCopy',
    'it already exists in the destination, perhaps from an attempt that ended before it set all tags and annotations: delete it there and run again, or set `overwrite: always`',
    { status: 412 },
  )
}

function goneTooEarly(): S3Error {
  return new S3Error(
    'IncompleteCopy',
    'the object or its copy was deleted before all tags and annotations were set, so the copy lacks some of them',
    { status: 404 },
  )
}

/**
 * What there is to do once the content is there.
 * @param before up to which name annotations are done
 */
async function finish(job: CopyJob, source: Source, before = ''): Promise<Copy> {
  const { object, run } = job
  const { etag, size, storageClass, tagging } = source
  const options = run.options ?? {}
  const progress = { upTo: before }
  try {
    if (tagging.length > TAGGING_BYTES) await setTags(job, tagging)
    if (options.annotations) {
      await copyAnnotations(job, progress)
      if (unquoted((await headOf(job)).etag) !== etag) throw changed('while its annotations were copied')
    }
  } catch (error) {
    if (isMissing(error)) throw goneTooEarly()
    if (!canBeHandedOn(error, job)) throw error
    const reason = progress.upTo > before ? new OutOfTime() : error
    throw new Unfinished({ ...object, etag, size, annotate: progress.upTo }, reason)
  }
  return { bytes: size, reclassed: isReclassed(storageClass, options) }
}

function resumable({ upload, etag, size }: Listed): Upload | undefined {
  return upload === undefined || etag === undefined ? undefined : { id: upload, etag, size }
}

/** Without what an earlier attempt left, and with what the source is now instead of what the listing said. */
function asItIsNow(job: CopyJob, { size, etag, storageClass }: Source): CopyJob {
  const { key } = job.object
  return { ...job, object: { key, size, etag, ...(storageClass !== undefined && { storageClass }) } }
}

function canBeHandedOn(error: unknown, { isLast }: CopyJob): error is OutOfTime | Refused {
  return error instanceof OutOfTime || (error instanceof Refused && !isLast)
}

function isMissing(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'NoSuchKey'
}

/** The source is not the version any more that the upload was begun with. */
function isChanged(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'PreconditionFailed'
}

/** The upload is gone: aborted by a lifecycle, or joined by a request whose answer was lost. Joining it twice is harmless, so it is begun anew. */
function isGone(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'NoSuchUpload'
}

/**
 * The upload can't be joined any more, though nothing is wrong with the source: somebody else wrote the key meanwhile, or
 * a request that was given up took effect late and replaced a part, which has another ETag then under KMS.
 */
function isSpoilt(error: unknown): boolean {
  return error instanceof S3Error && /^(ConditionalRequestConflict|InvalidPart)$/.test(error.code)
}
