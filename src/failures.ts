import { createReadStream, createWriteStream } from 'node:fs'
import { appendFile, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { asciiJson } from '../protocol/encoding.ts'
import type { Failure } from '../protocol/outcome.ts'

const EXAMPLES = 3

/** The failures with one error code: how many, and the first few. */
export type FailureGroup = { code: string; count: number; examples: Failure[] }

/**
 * The failures of a run, kept on disk. A task may report before it is known to count (its parent's outcome is still on
 * its way), so everything is spooled with its task's id, and sorted out when the run is over.
 */
export class Failures {
  readonly #path: string
  readonly #spool: string
  #writing: Promise<void>
  /** Bytes spooled, and how many of them are kept elsewhere too. */
  #spooled = 0
  #saved = 0

  /** @param path of the report; its folder is made when missing */
  constructor(path: string) {
    this.#path = path
    this.#spool = `${path}.spool`
    this.#writing = mkdir(dirname(path), { recursive: true }).then(() => writeFile(this.#spool, ''))
    // Told by whatever is called next; until then nobody waits for it, and Node ends a process for that.
    this.#writing.catch(() => {})
  }

  /** Resolved when all that was given so far is written; rejected when it can't be. */
  get ready(): Promise<void> {
    return this.#writing
  }

  /** Spools the failures of one task. */
  add(task: string, failures: Failure[]): Promise<void> {
    if (failures.length === 0) return this.ready
    return this.#append(`${asciiJson({ task, failures })}\n`)
  }

  /** Bytes spooled that are not kept elsewhere yet. */
  get unsaved(): number {
    return this.#spooled - this.#saved
  }

  /** What is to be kept elsewhere, for {@link restore}; call {@link markSaved} when it is. */
  async readUnsaved(): Promise<Buffer> {
    await this.#writing
    const bytes = Buffer.alloc(this.unsaved)
    const file = await open(this.#spool)
    try {
      await file.read(bytes, 0, bytes.length, this.#saved)
    } finally {
      await file.close()
    }
    return bytes
  }

  markSaved(bytes: number): void {
    this.#saved += bytes
  }

  /** Takes in what another process of the same run got from {@link readUnsaved}. */
  async restore(bytes: Uint8Array): Promise<void> {
    this.#saved += bytes.length
    await this.#append(bytes)
  }

  #append(bytes: string | Uint8Array): Promise<void> {
    // Text is ASCII: its length is its bytes.
    this.#spooled += bytes.length
    this.#writing = this.#writing.then(() => appendFile(this.#spool, bytes))
    return this.#writing
  }

  /**
   * Writes the report, one line of NDJSON (`key`, `code`, `message`) for each object, and removes the spool.
   * @param counts whether a task is part of the run
   * @returns the failures by code, most frequent first
   */
  async finish(counts: (task: string) => boolean): Promise<FailureGroup[]> {
    await this.#writing
    const groups = new Map<string, FailureGroup>()
    const lines = createInterface({
      input: createReadStream(this.#spool),
      crlfDelay: Number.POSITIVE_INFINITY,
    })
    async function* report() {
      for await (const line of lines) {
        const { task, failures } = JSON.parse(line) as { task: string; failures: Failure[] }
        if (!counts(task)) continue
        for (const failure of failures) {
          addTo(groups, failure)
          yield `${asciiJson({ key: failure.key, code: failure.code, message: failure.message })}\n`
        }
      }
    }
    await pipeline(report, createWriteStream(this.#path))
    await rm(this.#spool)
    return [...groups.values()].sort((a, b) => b.count - a.count)
  }
}

function addTo(groups: Map<string, FailureGroup>, failure: Failure): void {
  const group = groups.get(failure.code) ?? { code: failure.code, count: 0, examples: [] }
  group.count++
  if (group.examples.length < EXAMPLES) group.examples.push(failure)
  groups.set(failure.code, group)
}
