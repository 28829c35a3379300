import { KEY_BYTES, utf8Length } from '../../protocol/key.ts'
import { type CopyTask, type Failure, type Listed, MalformedMessageError } from '../../protocol/message.ts'
import { backoffMs, type Timing } from '../../protocol/timing.ts'
import { isThrottle, isTransient, type S3, S3Error } from '../s3/index.ts'
import type { Pace } from './pace.ts'

/** Tries for one object in one task, unless S3 says slow down, before it is handed on to a later task. */
const TRIES = 8
/** For how long a task puts up with S3 saying slow down before it hands on what is left: no task takes much longer than a minute. */
const PATIENCE_MS = 45_000
/** The pace already answers a slow down, so that the wait before the next try need not grow far: to 1.6 s. */
const THROTTLE_STEPS = 4
/** Characters of an error message that are worth carrying. */
const MESSAGE_CHARS = 200

export type CopyDeps = {
  s3: Pick<S3, 'copyObject'>
  pace: Pace
  timing: Timing
  /** Milliseconds since the epoch; no copy is begun after it. */
  deadline: number
}

export type Copied = {
  copied: number
  /** The marker object of the source prefix itself, when there is no destination prefix: its key would be empty. */
  skipped: number
  /** Bytes copied, by the sizes that the listing gave. */
  bytes: number
  failures: Failure[]
  /** Not begun or not finished when the time ran out. */
  late: Listed[]
  /** Refused for the time being again and again, with the last refusal of each. */
  refused: { object: Listed; failure: Failure }[]
}

/**
 * Copies the objects of a task, many in flight. Transient errors are tried again with back-off and jitter; definite ones
 * are reported. Never throws for what S3 says of an object, only MalformedMessageError for a key outside of the source.
 */
export async function copyObjects({ run, objects }: CopyTask, deps: CopyDeps): Promise<Copied> {
  const result: Copied = { copied: 0, skipped: 0, bytes: 0, failures: [], late: [], refused: [] }
  const patientUntil = deps.timing.now() + PATIENCE_MS
  // All names first: a task that holds a wrong one is refused before anything is copied.
  const named = objects.map((object) => ({
    object,
    key: destinationKey(object.key, run.source.prefix, run.destination.prefix),
  }))
  await Promise.all(
    named.map(async ({ object, key }) => {
      if (key === '') {
        result.skipped++
        return
      }
      if (utf8Length(key) > KEY_BYTES) {
        const message = `the key is longer than ${KEY_BYTES} bytes under the destination prefix`
        result.failures.push({ key: object.key, code: 'KeyTooLongError', message })
        return
      }
      const request = {
        bucket: run.destination.bucket,
        key,
        sourceBucket: run.source.bucket,
        sourceKey: object.key,
        annotationDirective: 'EXCLUDE' as const,
      }
      await copyOne(object, () => deps.s3.copyObject(request), result, { ...deps, patientUntil })
    }),
  )
  return result
}

/** Where a source key goes: the source prefix is replaced by the destination prefix. Throws MalformedMessageError when the key lacks the source prefix. */
export function destinationKey(key: string, sourcePrefix: string, destinationPrefix: string): string {
  if (!key.startsWith(sourcePrefix))
    throw new MalformedMessageError('not a copy task: a key lies outside the source prefix')
  return destinationPrefix + key.slice(sourcePrefix.length)
}

async function copyOne(
  object: Listed,
  copy: () => Promise<unknown>,
  result: Copied,
  { pace, timing, deadline, patientUntil }: CopyDeps & { patientUntil: number },
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const error = await pace.run(async () => {
      if (timing.now() >= deadline) return LATE
      return await copy().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
    }, deadline)
    if (error === LATE) {
      result.late.push(object)
      return
    }
    if (error === undefined) {
      pace.answered(false)
      result.copied++
      result.bytes += object.size
      return
    }
    if (!(error instanceof S3Error)) throw error
    const failure = { key: object.key, code: error.code, message: error.message.slice(0, MESSAGE_CHARS) }
    const throttled = isThrottle(error)
    pace.answered(throttled)
    if (!isTransient(error)) {
      result.failures.push(failure)
      return
    }
    if (throttled ? timing.now() >= patientUntil : tries >= TRIES) {
      result.refused.push({ object, failure })
      return
    }
    await timing.sleep(backoffMs(throttled ? Math.min(tries, THROTTLE_STEPS) : tries, timing.random))
  }
}

const LATE = Symbol('no time left to begin')
