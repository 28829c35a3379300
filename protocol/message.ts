import * as v from 'valibot'
import { commonBegin, giveBegin, takeBegin } from './begin.ts'
import { asciiJson, decodeKey, encodeKey } from './encoding.ts'
import { KEY_BYTES } from './key.ts'

/** The version of everything on this page. A worker refuses tasks of any other. */
export const PROTOCOL = 1

/** Bytes of an outcome's body at most: SQS takes 1 MiB a message, 256 KiB on older endpoints. */
const OUTCOME_BYTES = 256 * 1024

/**
 * Bytes of a task's body at most. Its outcome repeats its keys at worst, each with a code and a reason, so half of the limit
 * leaves room for those, the reasons shortened where need be.
 */
export const TASK_BYTES = 128 * 1024

/** Children of one attempt at most: a task's number in its family has 7 digits. */
const MOST_CHILDREN = 10_000_000

/** Characters that keys begin with at most: those of a whole key, each byte escaped. */
const MOST_BEGIN = 3 * KEY_BYTES
/** And in all keys together, so that no message takes much more memory than it has bytes: twice those of 1,000 long keys. */
const MOST_BEGUN = 2_000 * MOST_BEGIN

/** Characters of a reason for refusing a message that are worth showing; it may repeat what the message holds. */
const REASON_CHARS = 200

/** Bytes of one SendMessageBatch at most: the sum over its entries has the same limit as one message. */
export const BATCH_BYTES = 250 * 1024

/** Seconds that SQS holds a message back at most (SQS API reference, SendMessage). */
export const LONGEST_DELAY_SECONDS = 900

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const Key = v.pipe(
  v.string(),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    try {
      return decodeKey(value)
    } catch {
      addIssue({ message: 'is not a percent-encoded key' })
      return NEVER
    }
  }),
)
const Place = v.object({ bucket: v.string(), prefix: Key })

/** What becomes of all that belongs to an object. What is left out is the default. */
const OptionsSchema = v.object({
  /** Default: they are copied. */
  tags: v.optional(v.literal('skip')),
  /** Default: they are left out, for each is billed like a copy. */
  annotations: v.optional(v.literal('copy')),
  /** Website redirects, which only a request for each object finds. Default: left out. */
  websiteRedirects: v.optional(v.literal('copy')),
  /** Default: the source object's. */
  storageClass: v.optional(v.string()),
  /** Default: the destination bucket's own. */
  sse: v.optional(v.picklist(['AES256', 'aws:kms', 'aws:kms:dsse'])),
  /** ARN of the key for `sse`. Default: the AWS managed key. */
  sseKmsKey: v.optional(v.string()),
  /** A canned ACL. Default: none, so that the copy is private. */
  acl: v.optional(v.string()),
  /** Default: always. `never` and `if-newer` look at what the destination holds. */
  overwrite: v.optional(v.picklist(['never', 'if-newer'])),
  /** What changed since it was listed. Default: copied as it is by then. */
  ifChanged: v.optional(v.literal('fail')),
  /** Objects in an archive class that are not restored. Default: they fail. */
  archived: v.optional(v.literal('skip')),
  requestPayer: v.optional(v.literal('requester')),
  /** Account ids that the buckets have to belong to. Default: S3 is not told to look. */
  sourceOwner: v.optional(v.string()),
  destinationOwner: v.optional(v.string()),
})

const RunSchema = v.object({
  /** Names the run everywhere: queue, log, summary, report. */
  id: v.string(),
  /** URL of the run queue, where outcomes go. When it is gone the run is over, and its tasks are dropped. */
  queue: v.string(),
  source: Place,
  destination: Place,
  /** Objects in a copy task at most. */
  batchSize: v.pipe(v.number(), v.integer(), v.minValue(1)),
  options: v.optional(OptionsSchema),
})

/** What a listing tells of an object besides key and size, and how far its copy got. */
const DetailsSchema = v.object({
  /** As listed, without quotes. */
  etag: v.optional(v.string()),
  /** Missing for STANDARD. */
  storageClass: v.optional(v.string()),
  /** It is in an archive, and not restored. */
  archived: v.optional(v.literal(true)),
  /** The multipart upload that has begun, of the source as it was then: by `etag` and size. */
  upload: v.optional(v.string()),
  /** The content is copied, and of its annotations those up to this name, which is empty before the first. */
  annotate: v.optional(v.string()),
})

const head = { v: v.literal(PROTOCOL), id: v.string(), run: RunSchema }

/** A part of the source: the keys of some ranges that begin with a prefix. The ranges are apart from each other, and in order. */
const PartSchema = v.object({
  prefix: Key,
  ranges: v.array(v.object({ after: v.optional(Key), upTo: v.optional(Key) })),
})

/**
 * The listing of a source: when it began (milliseconds since the epoch), how many tasks share it, and about how many objects to copy
 * all of them had found when the task that says so was made.
 */
const ListingSchema = v.object({
  began: Count,
  shares: v.pipe(Count, v.minValue(1)),
  found: v.optional(Count, 0),
})

const ListTaskSchema = v.object({
  ...head,
  kind: v.literal('list'),
  ...PartSchema.entries,
  /** What it is a part of; missing where the listing begins. */
  listing: v.optional(ListingSchema),
})

const CopyTaskSchema = v.object({
  ...head,
  kind: v.literal('copy'),
  /** What to copy: source key, size in bytes as listed, and what else there is to say. */
  objects: v.array(
    v.pipe(
      v.tupleWithRest([Key, Count], DetailsSchema),
      v.transform(([key, size, details]) => ({ key, size, ...details })),
    ),
  ),
  /** How often these objects have been handed on because S3 kept refusing them for the time being. */
  round: Count,
})

const TaskSchema = v.variant('kind', [ListTaskSchema, CopyTaskSchema])

const OutcomeSchema = v.object({
  v: v.literal(PROTOCOL),
  kind: v.picklist(['list', 'copy']),
  /** The task that is finished. */
  task: v.string(),
  /** Which attempt finished it: the family that its children are named after. */
  attempt: v.string(),
  /** How many tasks this attempt spawned: `attempt.0` to `attempt.(children - 1)`. */
  children: v.pipe(Count, v.maxValue(MOST_CHILDREN)),
  listed: Count,
  copied: Count,
  skipped: Count,
  /** Objects that were gone when their turn came. */
  vanished: Count,
  /** Copied objects that are in another storage class than the source. */
  reclassed: Count,
  /** Bytes of the copied objects. */
  bytes: Count,
  failures: v.array(
    v.pipe(
      v.tuple([Key, v.string(), v.string()]),
      v.transform(([key, code, message]) => ({ key, code, message })),
    ),
  ),
  /** What a list task could not list, and why. */
  unlisted: v.optional(v.object({ part: PartSchema, code: v.string(), message: v.string() })),
})

export type Run = v.InferOutput<typeof RunSchema>
export type Options = v.InferOutput<typeof OptionsSchema>
export type Place = v.InferOutput<typeof Place>
export type ListTask = v.InferOutput<typeof ListTaskSchema>
export type Part = v.InferOutput<typeof PartSchema>
export type Listing = v.InferOutput<typeof ListingSchema>
export type CopyTask = v.InferOutput<typeof CopyTaskSchema>
export type Task = ListTask | CopyTask
export type Outcome = v.InferOutput<typeof OutcomeSchema>
export type Failure = Outcome['failures'][number]
export type Unlisted = NonNullable<Outcome['unlisted']>
/** An object as a listing shows it; size in bytes. */
export type Listed = CopyTask['objects'][number]

/** A message body that is not what this protocol version says; the text says why. */
export class MalformedMessageError extends Error {
  override name = 'MalformedMessageError'
}

export function newListTask(id: string, run: Run, { prefix, ranges }: Part, listing?: Listing): ListTask {
  return { v: PROTOCOL, kind: 'list', id, run, prefix, ranges, ...(listing && { listing }) }
}

export function newCopyTask(id: string, run: Run, objects: Listed[], round = 0): CopyTask {
  return { v: PROTOCOL, kind: 'copy', id, run, objects, round }
}

/** The SQS message body of a task: ASCII only, so its length is its size in bytes. */
export function encodeTask(task: Task): string {
  const { source, destination } = task.run
  const run = { ...task.run, source: encodePlace(source), destination: encodePlace(destination) }
  if (task.kind === 'list') return asciiJson({ ...task, run, ...encodePart(task) })
  const { begin, rests } = takeBegin(task.objects.map(encodeObject))
  return asciiJson({ ...task, run, begin, objects: rests })
}

/** What is told of objects in the body of a copy task. */
export type Contents = {
  count: number
  /** Bytes, if each key were written as a whole. */
  whole: number
  /** What all the keys begin with. */
  begin: string
}

/** The contents of a task without objects. */
export const NO_CONTENTS: Contents = { count: 0, whole: 0, begin: '' }

/** The contents with one object more. */
export function withObject({ count, whole, begin }: Contents, object: Listed): Contents {
  const entry = encodeObject(object)
  return {
    count: count + 1,
    whole: whole + asciiJson(entry).length + 1,
    begin: count === 0 ? entry[0] : commonBegin(begin, entry[0]),
  }
}

/** Bytes that the contents take. */
export function contentBytes({ count, whole, begin }: Contents): number {
  return whole - begin.length * Math.max(0, count - 1)
}

/** Reads a task. Throws MalformedMessageError for anything that is not a task of this protocol version. */
export function decodeTask(body: string): Task {
  return decode(TaskSchema, body, 'a task', 'objects')
}

/** The run queue's message body of an outcome: ASCII only. Reasons are shortened when it would be too large for SQS. */
export function encodeOutcome(outcome: Outcome): string {
  const whole = outcomeBody(outcome)
  if (whole.length <= OUTCOME_BYTES) return whole
  const { failures } = outcome
  const withReasons = (bytes: number) =>
    outcomeBody({
      ...outcome,
      failures: failures.map((failure) => ({ ...failure, message: shortened(failure.message, bytes) })),
    })
  return withReasons(Math.floor((OUTCOME_BYTES - withReasons(0).length) / failures.length))
}

function outcomeBody(outcome: Outcome): string {
  const { unlisted, failures } = outcome
  const { begin, rests } = takeBegin(
    failures.map(({ key, code, message }): [string, ...string[]] => [encodeKey(key), code, message]),
  )
  const missing = unlisted && { unlisted: { ...unlisted, part: encodePart(unlisted.part) } }
  return asciiJson({ ...outcome, begin, failures: rests, ...missing })
}

/** Reads an outcome. Throws MalformedMessageError for anything else. */
export function decodeOutcome(body: string): Outcome {
  return decode(OutcomeSchema, body, 'an outcome', 'failures')
}

/** What can be told of a message that {@link decodeTask} may have refused: enough to say whose it is. */
export type Trace = { runId: string; taskId?: string | undefined; objects: number }

/** The run that a message of any protocol version names, or undefined when it names none. Never throws. */
export function traceOf(body: string): Trace | undefined {
  const Loose = v.object({
    id: v.fallback(v.optional(v.string()), undefined),
    run: v.object({ id: v.string() }),
    objects: v.fallback(v.optional(v.array(v.unknown())), undefined),
  })
  const found = v.safeParse(Loose, parseJson(body))
  if (!found.success) return undefined
  const { id, run, objects } = found.output
  return { runId: run.id, taskId: id, objects: objects?.length ?? 0 }
}

/** @param entries the name of the list whose keys are without what `begin` holds */
function decode<T extends v.GenericSchema>(
  schema: T,
  body: string,
  what: string,
  entries: string,
): v.InferOutput<T> {
  const json = parseJson(body)
  if (json === undefined) throw new MalformedMessageError(`not ${what}: the body is not JSON`)
  const version = (json as { v?: unknown } | null)?.v
  if (version !== PROTOCOL)
    throw new MalformedMessageError(
      `not ${what} of protocol version ${PROTOCOL}: the body ${tellVersion(version)}`,
    )
  const read = v.safeParse(schema, withWholeKeys(json as Record<string, unknown>, what, entries))
  if (read.success) return read.output
  const issue = read.issues[0]
  throw new MalformedMessageError(
    `not ${what}: ${v.getDotPath(issue) ?? 'body'}: ${asciiJson(issue.message).slice(0, REASON_CHARS)}`,
  )
}

/** A message with whole keys in the entries of that name, if it has any. */
function withWholeKeys(message: Record<string, unknown>, what: string, entries: string): unknown {
  const { begin, [entries]: rests } = message
  if (!Array.isArray(rests)) return message
  if (typeof begin !== 'string') throw new MalformedMessageError(`not ${what}: begin: is not a text`)
  if (begin.length > MOST_BEGIN || begin.length * rests.length > MOST_BEGUN)
    throw new MalformedMessageError(`not ${what}: begin: is too long`)
  return { ...message, [entries]: giveBegin(begin, rests) }
}

/** Only of plain values: a deep enough one would overflow the stack. */
function tellVersion(version: unknown): string {
  if (version === undefined) return 'has no version'
  if (typeof version === 'object' && version !== null) return 'has a version that is no number'
  return `is of version ${asciiJson(version).slice(0, 20)}`
}

function encodeObject({ key, size, ...details }: Listed): [string, number, ...object[]] {
  for (const _ in details) return [encodeKey(key), size, details]
  return [encodeKey(key), size]
}

/** As much of a text as takes so many bytes in a message. */
function shortened(text: string, bytes: number): string {
  let short = text.slice(0, Math.max(0, bytes))
  while (short !== '' && asciiJson(short).length - '""'.length > bytes) short = short.slice(0, -1)
  return short
}

function encodePlace(place: Place): Place {
  return { bucket: place.bucket, prefix: encodeKey(place.prefix) }
}

function encodePart({ prefix, ranges }: Part): Part {
  return {
    prefix: encodeKey(prefix),
    ranges: ranges.map(({ after, upTo }) => ({
      ...(after !== undefined && { after: encodeKey(after) }),
      ...(upTo !== undefined && { upTo: encodeKey(upTo) }),
    })),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
