import { randomUUID } from 'node:crypto'
import type { FunctionRevision } from './function.ts'
import { Instance, type Outcome } from './instance.ts'
import { extend } from './lineage.ts'

/** How long an instance waits, frozen, for its next invocation. */
const IDLE_MS = 30_000

/** The instances of one revision of a function: warm ones are used again, and ended when nobody needs them. */
export class Pool {
  readonly #revision: FunctionRevision
  readonly #env: Record<string, string>
  readonly #log: (line: string) => void
  readonly #busy = new Set<Instance>()
  readonly #idle = new Map<Instance, NodeJS.Timeout>()
  #retired = false

  constructor(revision: FunctionRevision, env: Record<string, string>, log: (line: string) => void) {
    this.#revision = revision
    this.#env = env
    this.#log = log
  }

  /** Process ids of the instances at work and of those that wait. */
  get pids(): { busy: number[]; idle: number[] } {
    const pids = (instances: Iterable<Instance>) =>
      [...instances].map(({ pid }) => pid).filter((pid) => pid !== undefined)
    return { busy: pids(this.#busy), idle: pids(this.#idle.keys()) }
  }

  /**
   * Invokes the function on a warm instance or on a new one. Never throws.
   *
   * @param trace trace header of the chain of invocations that this one belongs to
   */
  async invoke(event: string, trace?: string): Promise<Outcome> {
    const requestId = randomUUID()
    const instance = this.#take()
    this.#log(`START RequestId: ${requestId} Version: $LATEST`)
    const started = performance.now()
    const outcome = await instance.invoke(requestId, event, extend(trace, this.#revision.name))
    if ('error' in outcome) this.#log(`ERROR ${JSON.stringify(outcome.error)}`)
    this.#log(
      [
        `REPORT RequestId: ${requestId}`,
        `Duration: ${(performance.now() - started).toFixed(2)} ms`,
        `Memory Size: ${this.#revision.memorySize} MB`,
        `Max Memory Used: ${outcome.memoryUsed ?? '?'} MB`,
      ].join('\t'),
    )
    this.#busy.delete(instance)
    if (instance.alive) await this.#keep(instance)
    return outcome
  }

  /** Has the busy instance of a process run out of memory. */
  exhaust(pid: number): void {
    for (const instance of this.#busy) if (instance.pid === pid && instance.alive) instance.exhaust()
  }

  /** Ends the idle instances now and each busy one after its invocation. */
  async retire(): Promise<void> {
    this.#retired = true
    await this.#endIdle()
  }

  /** Ends all instances at once, also in the middle of an invocation. */
  async kill(): Promise<void> {
    this.#retired = true
    await Promise.all([this.#endIdle(), ...[...this.#busy].map((instance) => instance.kill())])
  }

  #take(): Instance {
    // The one that was used last: the others get the chance to be idle for long.
    const warm = [...this.#idle.keys()].filter((instance) => instance.alive).at(-1)
    if (warm) clearTimeout(this.#idle.get(warm))
    if (warm) this.#idle.delete(warm)
    const instance = warm ?? new Instance(this.#revision, this.#env, this.#log)
    this.#busy.add(instance)
    return instance
  }

  async #keep(instance: Instance): Promise<void> {
    if (this.#retired) return await instance.kill()
    const timer = setTimeout(() => {
      this.#idle.delete(instance)
      void instance.kill()
    }, IDLE_MS)
    this.#idle.set(instance, timer.unref())
  }

  async #endIdle(): Promise<void> {
    const idle = [...this.#idle]
    this.#idle.clear()
    for (const [, timer] of idle) clearTimeout(timer)
    await Promise.all(idle.map(([instance]) => instance.kill()))
  }
}
