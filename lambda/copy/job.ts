import type { Run } from '../../protocol/run.ts'
import type { Listed } from '../../protocol/task.ts'
import type { CopyRequest, ObjectRequest, Operation, S3 } from '../s3/index.ts'
import type { Slots } from '../slots.ts'
import type { Caller } from './caller.ts'
import { copyGuards, destinationGuards, placement, sourceGuards } from './headers.ts'

export type CopyS3 = Pick<S3, 'copyObject' | 'perform'>

/** What the copies of one task tell each other. */
type Memory = {
  /** How many of the source's objects in a row turned out not to be stored plainly, so that their ETags are no MD5s. */
  encrypted: number
  /** Lets a few through at once to find that out. */
  looking: Slots
  /** Lets a few annotations through at once. */
  annotating: Slots
  /** And a few objects that are copied in parts. */
  inParts: Slots
}

/** One object to copy, and all that it takes. */
export type CopyJob = {
  object: Listed
  /** Where to. */
  key: string
  run: Run
  /** What the requests of all objects of the run have in common. */
  base: ReturnType<typeof baseRequest>
  s3: CopyS3
  caller: Caller
  memory: Memory
  /** No later task will go on with what this one leaves. */
  isLast: boolean
}

/** There is an object at the destination already, and the run overwrites none. */
export class Taken extends Error {}

/** A copy that was made. */
export type Copy = { bytes: number; reclassed: boolean }

/** Carries out an operation other than a whole copy. Throws S3Error, OutOfTime and Refused. */
export function perform<Input extends object, Output>(
  { s3, caller }: Pick<CopyJob, 's3' | 'caller'>,
  operation: Operation<Input, Output>,
  request: Input,
): Promise<Output> {
  return caller.call(({ signal }) => s3.perform(operation, { ...request, signal }))
}

/** What a request says that reads the source. */
export function sourceOf({ run, object }: CopyJob): ObjectRequest {
  return { bucket: run.source.bucket, key: object.key, ...sourceGuards(run.options ?? {}) }
}

/** What a request says that changes the destination and reads nothing from the source. */
export function targetOf({ run, key }: CopyJob): ObjectRequest {
  return { bucket: run.destination.bucket, key, ...destinationGuards(run.options ?? {}) }
}

/** What each CopyObject of a run says. */
export function baseRequest(run: Run): Omit<CopyRequest, 'key' | 'sourceKey'> {
  const { source, destination, options = {} } = run
  return {
    bucket: destination.bucket,
    sourceBucket: source.bucket,
    annotationDirective: options.annotations === 'copy' ? 'COPY' : 'EXCLUDE',
    ...(options.tags === 'skip' && { taggingDirective: 'REPLACE' as const }),
    ...placement(run),
    ...copyGuards(options),
  }
}

/** An ETag without the quotes that S3 writes around it. */
export function unquoted(etag: string): string {
  return etag.replaceAll('"', '')
}
