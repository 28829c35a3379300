import * as v from 'valibot'
import { encodeKey } from './encoding.ts'
import { Key } from './message.ts'

const PlaceSchema = v.object({ bucket: v.string(), prefix: Key })

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

/** What a run's id may be: it becomes a part of names and paths. */
export const RUN_ID = /^[\w-]{1,128}$/

export const RunSchema = v.object({
  /** Names the run everywhere: queue, message group (of 128 characters at most, SQS API reference), log, summary, report. */
  id: v.pipe(v.string(), v.regex(RUN_ID, 'is no id of a run')),
  /** URL of the run queue, where outcomes go. When it is gone the run is over, and its tasks are dropped. */
  queue: v.string(),
  source: PlaceSchema,
  destination: PlaceSchema,
  /** Objects in a copy task at most. */
  batchSize: v.pipe(v.number(), v.integer(), v.minValue(1)),
  options: v.optional(OptionsSchema),
  /** In the tasks of a redrive: the dead letter that they come of, by its run and task. */
  origin: v.optional(v.string()),
})

export type Run = v.InferOutput<typeof RunSchema>
export type Options = v.InferOutput<typeof OptionsSchema>
export type Place = v.InferOutput<typeof PlaceSchema>

/** The run as messages hold it: with encoded keys. */
export function encodeRun(run: Run): Run {
  return { ...run, source: encodePlace(run.source), destination: encodePlace(run.destination) }
}

function encodePlace(place: Place): Place {
  return { bucket: place.bucket, prefix: encodeKey(place.prefix) }
}
