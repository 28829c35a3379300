import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { FunctionRevision } from './function.ts'
import { EXHAUST, type FunctionError, type InstanceMessage, type Invocation, WAKE_FD } from './ipc.ts'

/** What an invocation came to: the JSON that the handler returned, or the error that Lambda reports for it. */
export type Outcome = ({ payload: string } | { error: FunctionError }) & { memoryUsed?: number }

/** Time that a handler may take to load; Lambda allows 10 s, or the function's timeout at the second try. */
const INIT_MS = 10_000
/** Lambda's own limits for the Node.js heap, as shares of the function's memory. */
const OLD_SPACE_SHARE = 0.9
const SEMI_SPACE_SHARE = 0.05

/** One execution environment of a function: a child process that serves one invocation at a time. */
export class Instance {
  readonly #revision: FunctionRevision
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #ready: Promise<Outcome | undefined> | undefined
  #killed = false

  /** @param log gets what the function writes to stdout and stderr, line by line */
  constructor(revision: FunctionRevision, env: Record<string, string>, log: (line: string) => void) {
    const { memorySize, codeFolder } = revision
    this.#revision = revision
    this.#child = fork(fileURLToPath(new URL('./bootstrap.ts', import.meta.url)), {
      cwd: codeFolder,
      env,
      execArgv: [
        `--max-old-space-size=${Math.floor(memorySize * OLD_SPACE_SHARE)}`,
        `--max-semi-space-size=${Math.floor(memorySize * SEMI_SPACE_SHARE)}`,
      ],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
    })
    // Not by events.once, which would reject at the errors below.
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve))
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream) createInterface(stream).on('line', log)
    // A process that is killed while something is sent to it reports that here; its exit tells all there is to know.
    this.#child.on('error', () => {})
    this.#waker.on('error', () => {})
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get #waker(): Writable {
    return this.#child.stdio[WAKE_FD] as Writable
  }

  get alive(): boolean {
    return !this.#killed && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Runs the handler. An instance that fails to load, exits, or takes too long is dead afterwards. Never throws. */
  async invoke(requestId: string, event: string, trace: string): Promise<Outcome> {
    if (this.#ready !== undefined) this.#waker.write('.')
    const { timeout, arn } = this.#revision
    this.#ready ??= this.#start()
    const failure = await this.#ready
    if (failure) return failure
    const deadline = Date.now() + timeout * 1000
    const outcome = this.#next(timeout * 1000, requestId)
    this.#child.send({ requestId, functionArn: arn, event, trace, deadline } satisfies Invocation)
    return await outcome
  }

  /** Has it run out of memory: a signal would only kill one that is still starting. */
  exhaust(): void {
    this.#child.send(EXHAUST)
  }

  async kill(): Promise<void> {
    this.#killed = true
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  /** Gives undefined once the handler is loaded, else what went wrong. */
  async #start(): Promise<Outcome | undefined> {
    const outcome = await this.#next(Math.max(INIT_MS, this.#revision.timeout * 1000), 'init')
    if ('error' in outcome) await this.kill()
    return 'error' in outcome ? outcome : undefined
  }

  /** Waits for the next word from the process, its end, or the end of its time, at which it is killed. */
  async #next(timeoutMs: number, requestId: string): Promise<Outcome> {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => {
        void this.kill()
        finish({
          error: {
            errorType: 'Sandbox.Timedout',
            errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
          },
        })
      }, timeoutMs)
      const onExit = (code: number | null, signal: string | null) => {
        finish({
          error: {
            errorType: 'Runtime.ExitError',
            errorMessage: `RequestId: ${requestId} Error: Runtime ${exitReason(code, signal)}`,
          },
        })
      }
      const onMessage = (message: InstanceMessage) => {
        if (message.type === 'ready') finish({ payload: 'null' })
        else if (message.type === 'answer')
          finish({ payload: message.payload, memoryUsed: message.memoryUsed })
        else if (message.type === 'error') finish({ error: message.error, memoryUsed: message.memoryUsed })
        else finish({ error: message.error })
      }
      const finish = (outcome: Outcome) => {
        clearTimeout(timer)
        this.#child.off('exit', onExit).off('message', onMessage)
        resolve(outcome)
      }
      this.#child.on('exit', onExit).on('message', onMessage)
      if (!this.alive) onExit(this.#child.exitCode, this.#child.signalCode)
    })
  }
}

function exitReason(code: number | null, signal: string | null): string {
  if (signal) return `exited with error: signal: ${signal === 'SIGKILL' ? 'killed' : signal}`
  return code ? `exited with error: exit status ${code}` : 'exited without providing a reason'
}
