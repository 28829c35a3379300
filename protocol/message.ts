import * as v from 'valibot'
import { asciiJson, decodeKey, encodeKey } from './encoding.ts'

/** The version of everything on this page. A worker refuses tasks of any other. */
export const PROTOCOL = 1

/**
 * Bytes of a task's body at most. SQS takes 1 MiB a message (256 KiB on older endpoints); an outcome repeats the keys of
 * its task at worst, each with a reason, so half of the smaller limit leaves room for those.
 */
export const TASK_BYTES = 128 * 1024

/** Children of one attempt at most: a task's number in its family has 7 digits. */
const MOST_CHILDREN = 10_000_000

/** Characters of a reason for refusing a message that are worth showing; it may repeat what the message holds. */
const REASON_CHARS = 200

/** Bytes of one SendMessageBatch at most: the sum over its entries has the same limit as one message. */
export const BATCH_BYTES = 250 * 1024

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const Key = v.pipe(
  v.string(),
  v.check((text) => canDecode(text), 'is not a percent-encoded key'),
  v.transform(decodeKey),
)
const Place = v.object({ bucket: v.string(), prefix: Key })

const RunSchema = v.object({
  /** Names the run everywhere: queue, log, summary, report. */
  id: v.string(),
  /** URL of the run queue, where outcomes go. When it is gone the run is over, and its tasks are dropped. */
  queue: v.string(),
  source: Place,
  destination: Place,
  /** Objects in a copy task at most. */
  batchSize: v.pipe(v.number(), v.integer(), v.minValue(1)),
})

const head = { v: v.literal(PROTOCOL), id: v.string(), run: RunSchema }

/** A part of the source: the keys of a range that begin with a prefix. */
const PartSchema = v.object({
  prefix: Key,
  range: v.object({ after: v.optional(Key), upTo: v.optional(Key) }),
})

const ListTaskSchema = v.object({ ...head, kind: v.literal('list'), ...PartSchema.entries })

const CopyTaskSchema = v.object({
  ...head,
  kind: v.literal('copy'),
  /** What to copy: source key and size in bytes as listed. */
  objects: v.array(
    v.pipe(
      v.tuple([Key, Count]),
      v.transform(([key, size]) => ({ key, size })),
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
  /** Bytes of the copied objects. */
  bytes: Count,
  failures: v.array(v.object({ key: Key, code: v.string(), message: v.string() })),
  /** What a list task could not list, and why. */
  unlisted: v.optional(v.object({ part: PartSchema, code: v.string(), message: v.string() })),
})

export type Run = v.InferOutput<typeof RunSchema>
export type Place = v.InferOutput<typeof Place>
export type ListTask = v.InferOutput<typeof ListTaskSchema>
export type Part = v.InferOutput<typeof PartSchema>
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

export function newListTask(id: string, run: Run, { prefix, range }: Part): ListTask {
  return { v: PROTOCOL, kind: 'list', id, run, prefix, range }
}

export function newCopyTask(id: string, run: Run, objects: Listed[], round = 0): CopyTask {
  return { v: PROTOCOL, kind: 'copy', id, run, objects, round }
}

/** The SQS message body of a task: ASCII only, so its length is its size in bytes. */
export function encodeTask(task: Task): string {
  const { source, destination } = task.run
  const run = { ...task.run, source: encodePlace(source), destination: encodePlace(destination) }
  if (task.kind === 'list') return asciiJson({ ...task, run, ...encodePart(task) })
  return asciiJson({ ...task, run, objects: task.objects.map(({ key, size }) => [encodeKey(key), size]) })
}

/** Bytes that an object adds to the body of a copy task. */
export function objectBytes({ key, size }: Listed): number {
  return encodeKey(key).length + String(size).length + 6
}

/** Reads a task. Throws MalformedMessageError for anything that is not a task of this protocol version. */
export function decodeTask(body: string): Task {
  return decode(TaskSchema, body, 'task')
}

/** The run queue's message body of an outcome: ASCII only. */
export function encodeOutcome(outcome: Outcome): string {
  const failures = outcome.failures.map((failure) => ({ ...failure, key: encodeKey(failure.key) }))
  const { unlisted } = outcome
  const missing = unlisted && { unlisted: { ...unlisted, part: encodePart(unlisted.part) } }
  return asciiJson({ ...outcome, failures, ...missing })
}

/** Reads an outcome. Throws MalformedMessageError for anything else. */
export function decodeOutcome(body: string): Outcome {
  return decode(OutcomeSchema, body, 'outcome')
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

function decode<T extends v.GenericSchema>(schema: T, body: string, what: string): v.InferOutput<T> {
  const json = parseJson(body)
  if (json === undefined) throw new MalformedMessageError(`not a ${what}: the body is not JSON`)
  const version = (json as { v?: unknown } | null)?.v
  if (version !== PROTOCOL)
    throw new MalformedMessageError(
      `not a ${what} of protocol version ${PROTOCOL}: the body ${tellVersion(version)}`,
    )
  const read = v.safeParse(schema, json)
  if (read.success) return read.output
  const issue = read.issues[0]
  throw new MalformedMessageError(
    `not a ${what}: ${v.getDotPath(issue) ?? 'body'}: ${asciiJson(issue.message).slice(0, REASON_CHARS)}`,
  )
}

/** Only of plain values: a deep enough one would overflow the stack. */
function tellVersion(version: unknown): string {
  if (version === undefined) return 'has no version'
  if (typeof version === 'object' && version !== null) return 'has a version that is no number'
  return `is of version ${asciiJson(version).slice(0, 20)}`
}

function encodePlace(place: Place): Place {
  return { bucket: place.bucket, prefix: encodeKey(place.prefix) }
}

function encodePart({ prefix, range: { after, upTo } }: Part): Part {
  return {
    prefix: encodeKey(prefix),
    range: {
      ...(after !== undefined && { after: encodeKey(after) }),
      ...(upTo !== undefined && { upTo: encodeKey(upTo) }),
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function canDecode(text: string): boolean {
  try {
    decodeKey(text)
    return true
  } catch {
    return false
  }
}
