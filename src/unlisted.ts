import type { Unlisted } from '../protocol/message.ts'

/** Which parts of the source could not be listed, and why, by the task that was to list them. */
export class UnlistedParts {
  readonly #parts = new Map<string, Unlisted>()

  add(task: string, unlisted: Unlisted): void {
    this.#parts.set(task, unlisted)
  }

  /** Those of the tasks that count. */
  of(counts: (task: string) => boolean): Unlisted[] {
    return [...this.#parts].filter(([task]) => counts(task)).map(([, unlisted]) => unlisted)
  }
}
