import * as v from 'valibot'
import { takeBegin } from './begin.ts'
import { encodeObject } from './contents.ts'
import { asciiJson } from './encoding.ts'
import { Count, decode, Key, PROTOCOL, parseJson } from './message.ts'
import { encodePart, type Part, PartSchema } from './part.ts'
import { encodeRun, type Run, RunSchema } from './run.ts'

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

export type ListTask = v.InferOutput<typeof ListTaskSchema>
export type Listing = v.InferOutput<typeof ListingSchema>
export type CopyTask = v.InferOutput<typeof CopyTaskSchema>
export type Task = ListTask | CopyTask
/** An object as a listing shows it; size in bytes. */
export type Listed = CopyTask['objects'][number]

export function newListTask(id: string, run: Run, { prefix, ranges }: Part, listing?: Listing): ListTask {
  return { v: PROTOCOL, kind: 'list', id, run, prefix, ranges, ...(listing && { listing }) }
}

export function newCopyTask(id: string, run: Run, objects: Listed[], round = 0): CopyTask {
  return { v: PROTOCOL, kind: 'copy', id, run, objects, round }
}

/** The SQS message body of a task: ASCII only, so its length is its size in bytes. */
export function encodeTask(task: Task): string {
  const run = encodeRun(task.run)
  if (task.kind === 'list') return asciiJson({ ...task, run, ...encodePart(task) })
  const { begin, rests } = takeBegin(task.objects.map(encodeObject))
  return asciiJson({ ...task, run, begin, objects: rests })
}

/** Reads a task. Throws MalformedMessageError for anything that is not a task of this protocol version. */
export function decodeTask(body: string): Task {
  return decode(TaskSchema, body, 'a task', 'objects')
}

/** What can be told of a message that {@link decodeTask} may have refused: enough to say whose it is. */
type Trace = { runId: string; taskId?: string | undefined; objects: number }

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
