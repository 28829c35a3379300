import type { Failure } from '../protocol/outcome.ts'
import { decodeTask, traceOf } from '../protocol/task.ts'
import type { DeadLetter } from './dlq.ts'
import type { Failures } from './failures.ts'
import type { Ledger } from './ledger.ts'
import type { UnlistedParts } from './unlisted.ts'

/** What the DLQ holds of this run, and what nobody can say whose it is. */
export class DeadLetters {
  /** Messages that name this run but are no task of it, by message id. */
  readonly #strangers = new Map<string, string | undefined>()
  readonly #nameless = new Set<string>()

  readonly #runId: string
  readonly #ledger: Ledger
  readonly #failures: Failures
  readonly #unlisted: UnlistedParts

  constructor(runId: string, ledger: Ledger, failures: Failures, unlisted: UnlistedParts) {
    this.#runId = runId
    this.#ledger = ledger
    this.#failures = failures
    this.#unlisted = unlisted
  }

  /** Messages of this run in the DLQ. */
  get messages(): number {
    const strangers = [...this.#strangers.values()].filter((task) => !task || !this.#ledger.counts(task))
    return this.#ledger.totals.deadTasks + strangers.length
  }

  /** Messages that name no run at all, so that no run counts them. */
  get nameless(): number {
    return this.#nameless.size
  }

  /** Takes one message of the DLQ in; the same one again changes nothing. */
  async take({ id, body }: DeadLetter): Promise<void> {
    const trace = traceOf(body)
    if (!trace) {
      this.#nameless.add(id)
      return
    }
    if (trace.runId !== this.#runId) return
    const task = readTask(body)
    if (!task) this.#strangers.set(id, trace.taskId)
    const name = task?.id ?? trace.taskId
    if (!name || !(task || this.#ledger.counts(name))) return
    const objects = task?.kind === 'copy' ? task.objects : []
    const deadObjects = task ? objects.length : trace.objects
    if (!this.#ledger.settle({ task: name, totals: { deadTasks: 1, deadObjects } })) return
    if (task?.kind === 'list')
      this.#unlisted.add(name, { part: { prefix: task.prefix, ranges: task.ranges }, ...DEAD_LETTERED })
    await this.#failures.add(name, objects.map(toFailure))
  }
}

function readTask(body: string) {
  try {
    return decodeTask(body)
  } catch {
    return undefined
  }
}

const DEAD_LETTERED = { code: 'DeadLettered', message: 'its task was tried too often without finishing' }

function toFailure({ key }: { key: string }): Failure {
  return { key, ...DEAD_LETTERED }
}
