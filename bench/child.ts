import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'

/** A process of a benchmark's own, so that its CPU time and memory are its own. It says `ready`, or something better, first. */
export class Child {
  readonly #name: string
  readonly #process: ChildProcess
  readonly #ended: Promise<string>

  constructor(module: string, args: string[] = [], options: ForkOptions = {}) {
    this.#name = [basename(module), ...args].join(' ')
    this.#process = fork(module, args, options)
    this.#ended = once(this.#process, 'exit').then(([code, signal]) => String(signal ?? code))
  }

  /** Throws when the process ends instead. */
  async hear<T>(): Promise<T> {
    const silence = this.#ended.then((how) => {
      throw new Error(`the process ${this.#name} ended with ${how}`)
    })
    const [message] = await Promise.race([once(this.#process, 'message'), silence])
    return message as T
  }

  /** Throws when the process ends instead of answering. */
  async ask<T>(question: number | object): Promise<T> {
    this.#process.send(question)
    return await this.hear<T>()
  }

  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    await this.#ended
  }
}
