import * as v from 'valibot'
import type { Options, Place } from './run.ts'

/**
 * What the action asks a function before it sends anything: could it do this run, with its own rights? `check` stands
 * where an SQS event has `Records`.
 */
export type CheckEvent = {
  check: {
    source: Place
    destination: Place
    options?: Options
    /** What the keys begin with that the run lists, up to {@link CHECKED_PREFIXES} of them. Default: the source's prefix. */
    prefixes?: string[]
  }
}

export const CHECKED_PREFIXES = 100

/** Milliseconds that a function gives S3 to answer all it is asked for a check. S3 being busy is nobody's mistake. */
export const CHECK_MS = 10_000

export const CheckAnswerSchema = v.object({
  /** The protocol version that the function's messages are of. */
  protocol: v.number(),
  /** What is in the way, in words for a person; empty when nothing is. */
  problems: v.array(v.string()),
  /** Those of the run's prefixes that no key of the source begins with. */
  empty: v.optional(v.array(v.string())),
})

export type CheckAnswer = v.InferOutput<typeof CheckAnswerSchema>
