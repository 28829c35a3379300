import * as v from 'valibot'
import { giveBegin } from './begin.ts'
import { asciiJson, decodeKey } from './encoding.ts'
import { KEY_BYTES } from './key.ts'

/** The version of all messages. A worker refuses tasks of any other. */
export const PROTOCOL = 1

/** Characters of `begin` at most: those of the longest key, each byte escaped. */
const MOST_BEGIN = 3 * KEY_BYTES
/** And when it is put before every key: twice as many as 1,000 of the longest keys have. Otherwise a small message could fill the memory. */
const MOST_REPEATED = 2_000 * MOST_BEGIN

/** Where the reason for refusing a message is cut off: it may quote the message. */
const REASON_CHARS = 200

export const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const Key = v.pipe(
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

/** A message body that is not what this protocol version says; the text says why. */
export class MalformedMessageError extends Error {
  override name = 'MalformedMessageError'
}

/**
 * Reads a message by its schema. Throws MalformedMessageError for anything that is not a message of this protocol version and schema.
 *
 * @param what it should be, for the error
 * @param entries the name of the list whose keys are without what `begin` holds
 */
export function decode<T extends v.GenericSchema>(
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
  if (begin.length > MOST_BEGIN || begin.length * rests.length > MOST_REPEATED)
    throw new MalformedMessageError(`not ${what}: begin: is too long`)
  return { ...message, [entries]: giveBegin(begin, rests) }
}

/** Only of plain values: a deep enough one would overflow the stack. */
function tellVersion(version: unknown): string {
  if (version === undefined) return 'has no version'
  if (typeof version === 'object' && version !== null) return 'has a version that is no number'
  return `is of version ${asciiJson(version).slice(0, 20)}`
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
