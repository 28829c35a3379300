import * as v from 'valibot'
import { takeBegin } from './begin.ts'
import { asciiJson, encodeKey } from './encoding.ts'
import { OUTCOME_BYTES } from './limits.ts'
import { Count, decode, Key, PROTOCOL } from './message.ts'
import { encodePart, PartSchema } from './part.ts'

/** Children of one attempt at most: a task's number in its family has 7 digits. */
const MOST_CHILDREN = 10_000_000

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
  /** Objects left out on purpose: there at the destination already, archived, or a marker that would have no key. */
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

export type Outcome = v.InferOutput<typeof OutcomeSchema>
export type Failure = Outcome['failures'][number]
export type Unlisted = NonNullable<Outcome['unlisted']>

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

/** As much of a text as takes so many bytes in a message. */
function shortened(text: string, bytes: number): string {
  let short = text.slice(0, Math.max(0, bytes))
  while (short !== '' && asciiJson(short).length - '""'.length > bytes) short = short.slice(0, -1)
  return short
}
