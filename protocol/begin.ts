import { commonPrefix } from './key.ts'

/** What a message says of one key: the key, percent-encoded, and the rest. */
type Entry = [key: string, ...unknown[]]

/**
 * Takes off what all keys of a message begin with, so that it is written only once: in a deep folder that is most of each
 * key. The keys are percent-encoded, so it may end within the escape of a byte.
 */
export function takeBegin<T extends Entry>(entries: readonly T[]): { begin: string; rests: T[] } {
  const begin = entries.map(([key]) => key).reduce(commonBegin, entries[0]?.[0] ?? '')
  return { begin, rests: entries.map(([key, ...rest]) => [key.slice(begin.length), ...rest] as T) }
}

/** Undoes {@link takeBegin}. What is not an entry stays as it is. */
export function giveBegin(begin: string, rests: readonly unknown[]): unknown[] {
  return rests.map((entry) => {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') return entry
    const [key, ...rest] = entry
    return [begin + key, ...rest]
  })
}

/** What two encoded keys begin with alike. */
export function commonBegin(begin: string, key: string): string {
  return key.startsWith(begin) ? begin : commonPrefix(begin, key)
}
