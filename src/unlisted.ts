import type { Unlisted } from '../protocol/outcome.ts'

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
