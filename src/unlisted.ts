import type { Unlisted } from '../protocol/outcome.ts'
import { printable, shorten } from './text.ts'

/** Of a key, where what S3 says has to be there too. */
const KEY_CHARS = 100

/** Which parts of the source could not be listed, and why, by the task that was to list them. */
export class UnlistedParts {
  readonly #parts: Map<string, Unlisted>

  /** @param parts those that are known already: see {@link entries} */
  constructor(parts: [task: string, unlisted: Unlisted][] = []) {
    this.#parts = new Map(parts)
  }

  add(task: string, unlisted: Unlisted): void {
    this.#parts.set(task, unlisted)
  }

  /** All of them, whether their tasks count or not. */
  get entries(): [task: string, unlisted: Unlisted][] {
    return [...this.#parts]
  }

  /** Those of the tasks that count. */
  of(counts: (task: string) => boolean): Unlisted[] {
    return [...this.#parts].filter(([task]) => counts(task)).map(([, unlisted]) => unlisted)
  }
}

/** Which keys the first of some parts holds, and why they could not be listed, on one line; undefined where there is none. */
export function tellFirst([first]: Unlisted[]): string | undefined {
  if (!first) return undefined
  const { part, code, message } = first
  const [{ after = '', upTo = '' } = {}] = part.ranges
  const bounds = Object.entries({ 'that begin with': part.prefix, after, 'up to': upTo })
    .filter(([, key]) => key !== '')
    .map(([how, key]) => `${how} ${shorten(printable(key), KEY_CHARS)}`)
  const keys = bounds.length > 0 ? `Keys ${bounds.join(', ')}` : 'All keys'
  return `${keys}: ${printable(code)}: ${printable(message)}`
}
