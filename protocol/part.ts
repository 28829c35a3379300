import * as v from 'valibot'
import { encodeKey } from './encoding.ts'
import { Key } from './message.ts'

/** A part of the source: the keys of some ranges that begin with a prefix. The ranges are apart from each other, and in order. */
export const PartSchema = v.object({
  prefix: Key,
  ranges: v.array(v.object({ after: v.optional(Key), upTo: v.optional(Key), token: v.optional(v.string()) })),
})

export type Part = v.InferOutput<typeof PartSchema>

/** The part as messages hold it: with encoded keys. */
export function encodePart({ prefix, ranges }: Part): Part {
  return {
    prefix: encodeKey(prefix),
    ranges: ranges.map(({ after, upTo, token }) => ({
      ...(after !== undefined && { after: encodeKey(after) }),
      ...(upTo !== undefined && { upTo: encodeKey(upTo) }),
      ...(token !== undefined && { token }),
    })),
  }
}
