import * as v from 'valibot'
import type { Place } from './message.ts'

/**
 * What the action asks a function before it sends anything: could it do this run, with its own rights? `check` stands
 * where an SQS event has `Records`.
 */
export type CheckEvent = { check: { source: Place; destination: Place } }

export const CheckAnswerSchema = v.object({
  /** The protocol version that the function's messages are of. */
  protocol: v.number(),
  /** What is in the way, in words for a person; empty when nothing is. */
  problems: v.array(v.string()),
})

export type CheckAnswer = v.InferOutput<typeof CheckAnswerSchema>
