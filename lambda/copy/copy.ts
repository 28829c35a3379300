import { KEY_BYTES, utf8Length } from '../../protocol/key.ts'
import { MalformedMessageError } from '../../protocol/message.ts'
import type { Failure } from '../../protocol/outcome.ts'
import type { Run } from '../../protocol/run.ts'
import type { CopyTask, Listed } from '../../protocol/task.ts'
import { S3Error } from '../s3/index.ts'
import { Slots } from '../slots.ts'
import { emptyResult, type Result } from '../worker.ts'
import { Caller, type CallerDeps, GotFurther, OutOfTime, Refused, toFailure } from './caller.ts'
import { baseRequest, type Copy, type CopyJob, type CopyS3, Taken } from './job.ts'
import { copyInParts, Unfinished } from './multipart.ts'
import { IN_FLIGHT } from './pace.ts'
import { WHOLE_BYTES } from './parts.ts'
import { sideBySide } from './side-by-side.ts'
import { copyWhole } from './whole.ts'

/** Annotations under way at once: each may have 1 MiB. */
const ANNOTATIONS = 8
/** Objects copied in parts at once: each may have 10,000 parts to remember, of half a KB. So few are enough to keep S3 busy. */
const IN_PARTS = 8
/** Objects at once that are asked how they are encrypted, until it is known. */
const LOOKS = 8

export type CopyDeps = CallerDeps & {
  s3: CopyS3
  /** No later task will go on with what S3 keeps refusing. */
  isLast: boolean
}

/** What became of the objects of a task, as its outcome says it, and those that are left for a later one. */
export type Copied = Result & {
  /** Not begun or not finished when the time ran out. */
  late: Listed[]
  /** Those of them of which an upload has got further. */
  further: Set<Listed>
  /** Refused for the time being again and again, with the last refusal of each. */
  refused: { object: Listed; failure: Failure }[]
}

/**
 * Copies the objects of a task, many in flight. Transient errors are tried again with back-off and jitter; definite ones
 * are reported. Never throws for what S3 says of an object, only MalformedMessageError for a key outside of the source.
 */
export async function copyObjects({ run, objects }: CopyTask, deps: CopyDeps): Promise<Copied> {
  const { s3, isLast } = deps
  const result: Copied = { ...emptyResult(), late: [], further: new Set(), refused: [] }
  const caller = new Caller(deps)
  const base = baseRequest(run)
  const memory = {
    encrypted: 0,
    looking: new Slots(LOOKS),
    annotating: new Slots(ANNOTATIONS),
    inParts: new Slots(IN_PARTS),
  }
  // All names first: a task that holds a wrong one is refused before anything is copied.
  const targets = objects.map((object) => ({
    object,
    key: destinationKey(object.key, run.source.prefix, run.destination.prefix),
  }))
  // As many loops as the pace lets be in flight, each taking the next object: a promise for each of a thousand would be a burden.
  const rest = targets.values()
  // What is no answer of S3 ends the task.
  const errors = await sideBySide(IN_FLIGHT, async (errors) => {
    for (const { object, key } of rest) {
      if (errors.length > 0) return
      // The marker object of the source prefix itself, without a destination prefix.
      if (key === '') {
        result.skipped++
        continue
      }
      const known = knownFailure(object, key, run)
      if (known) {
        giveUp(known, run, result)
        continue
      }
      try {
        const copy = await copyOne({ object, key, run, base, s3, caller, memory, isLast })
        result.copied++
        result.bytes += copy.bytes
        if (copy.reclassed) result.reclassed++
      } catch (error) {
        account(error, object, run, result)
      }
    }
  })
  if (errors.length > 0) throw errors[0]
  return result
}

/** Where a source key goes: the source prefix is replaced by the destination prefix. Throws MalformedMessageError when the key lacks the source prefix. */
export function destinationKey(key: string, sourcePrefix: string, destinationPrefix: string): string {
  if (!key.startsWith(sourcePrefix))
    throw new MalformedMessageError('not a copy task: a key lies outside the source prefix')
  return destinationPrefix + key.slice(sourcePrefix.length)
}

/** Why an object can't be copied, where that is known without asking S3. */
function knownFailure(
  { key, archived, storageClass }: Listed,
  target: string,
  { source, destination }: Run,
): Failure | undefined {
  if (utf8Length(target) > KEY_BYTES) {
    const message = `the key is longer than ${KEY_BYTES} bytes under the destination prefix`
    return { key, code: 'KeyTooLongError', message }
  }
  // From `a/` to the bucket's root, say, `a/a/b` would replace `a/b`, which may not be copied yet.
  if (source.bucket === destination.bucket && target.startsWith(source.prefix)) {
    const message = 'its copy would lie inside the source, where it may replace an object or be copied again'
    return { key, code: 'InsideSource', message }
  }
  if (archived)
    return {
      key,
      code: 'InvalidObjectState',
      message: `it is in ${storageClass} and not restored: restore it, or set \`archived: skip\``,
    }
  return undefined
}

function copyOne(job: CopyJob): Promise<Copy> {
  const { size, upload, annotate } = job.object
  const isLarge = size > WHOLE_BYTES || upload !== undefined || annotate !== undefined
  if (isLarge) return copyLarge(job)
  return copyWhole(job).catch((error: unknown) => {
    if (isTooLarge(error)) return copyLarge(job)
    throw error
  })
}

function copyLarge(job: CopyJob): Promise<Copy> {
  return job.memory.inParts.hold(() => copyInParts(job))
}

/** It has grown beyond 5 GiB since it was listed. */
function isTooLarge(error: unknown): boolean {
  return error instanceof S3Error && error.code === 'InvalidRequest' && /larger than/.test(error.message)
}

/** Takes note of why an object was not copied. Throws what is no answer of S3. */
function account(error: unknown, object: Listed, run: Run, result: Copied): void {
  if (error instanceof Unfinished) account(error.reason, error.object, run, result)
  else if (error instanceof Taken) result.skipped++
  else if (error instanceof OutOfTime) {
    result.late.push(object)
    if (error instanceof GotFurther) result.further.add(object)
  } else if (error instanceof Refused)
    result.refused.push({ object, failure: toFailure(object.key, error.last) })
  else if (!(error instanceof S3Error)) throw error
  else if (error.code === 'NoSuchKey') result.vanished++
  else giveUp(toFailure(object.key, error), run, result)
}

/** Archived objects, also those that the listing does not show as such (S3 API reference, "Error responses"). */
const ARCHIVED = new Set(['InvalidObjectState', 'ObjectNotInActiveTierError'])

function giveUp(failure: Failure, { options }: Run, result: Copied): void {
  if (options?.archived === 'skip' && ARCHIVED.has(failure.code)) result.skipped++
  else result.failures.push(failure)
}
