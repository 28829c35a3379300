import { compareKeys } from './key.ts'

/** The keys k with `after < k <= upTo` in S3's order; an end that is missing is open. */
export type Range = {
  after?: string | undefined
  upTo?: string | undefined
  /** S3's continuation token, from a page without keys: S3 gives such pages where many objects were deleted. */
  token?: string | undefined
}

/** True when no key at all can lie in the range. */
export function isEmpty({ after, upTo }: Range): boolean {
  return upTo !== undefined && compareKeys(after ?? '', upTo) >= 0
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
