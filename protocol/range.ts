import { compareKeys, KEY_BYTES, keyBefore, lastWithPrefix, utf8Length } from './key.ts'

/** The keys k with `after < k <= upTo` in S3's order; an end that is missing is open. */
export type Range = { after?: string | undefined; upTo?: string | undefined }

export function inRange(key: string, { after, upTo }: Range): boolean {
  return (
    (after === undefined || compareKeys(after, key) < 0) &&
    (upTo === undefined || compareKeys(key, upTo) <= 0)
  )
}

/** True when no key at all can lie in the range. */
export function isEmpty({ after, upTo }: Range): boolean {
  return upTo !== undefined && compareKeys(after ?? '', upTo) >= 0
}

/** The range cut behind each of the given keys, which have to be in order and inside it. */
export function partition({ after, upTo }: Range, cuts: readonly string[]): Range[] {
  const ends = [after, ...cuts, upTo]
  return ends.slice(1).map((end, index) => ({ after: ends[index], upTo: end }))
}

/** All keys that begin with `prefix`, the key that equals it included. */
export function prefixRange(prefix: string): Range {
  return prefix === '' ? {} : { after: keyBefore(prefix), upTo: lastWithPrefix(prefix) }
}

/**
 * Ranges that hold every key that begins with `prefix` once: one for each printable ASCII character that may follow it,
 * one for what stands before those (the key that equals the prefix, control characters), one for what stands after.
 * The first and the last are open: they are to be listed under the prefix.
 */
export function defaultPartition(prefix: string): Range[] {
  if (utf8Length(prefix) >= KEY_BYTES) return [{}]
  const cuts = Array.from({ length: 0x80 - 0x20 }, (_, i) => prefix + String.fromCharCode(0x20 + i))
  return partition({}, cuts)
}

/** Two of the prefixes of which one begins with the other, so that some keys would be taken twice; undefined when there are none. */
export function overlappingPrefixes(prefixes: readonly string[]): [string, string] | undefined {
  const sorted = [...prefixes].sort(compareKeys)
  for (const [index, prefix] of sorted.entries()) {
    const next = sorted[index + 1]
    if (next?.startsWith(prefix)) return [prefix, next]
  }
  return undefined
}
