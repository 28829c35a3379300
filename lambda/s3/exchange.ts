import type { Dispatcher } from 'undici'
import type { Answer } from './errors.ts'

/** A request as it goes to undici. */
export type Outgoing = {
  method: Dispatcher.HttpMethod
  /** With the query. */
  path: string
  /** Names and values in turn. */
  headers: string[]
  body?: string | undefined
  signal?: AbortSignal | undefined
  /** Instead of the connection's. */
  silenceMs?: number | undefined
}

/**
 * One request and its answer, as the handler of undici's dispatch: without the streams of its `request`, and with headers
 * that are decoded when somebody asks.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Whether a byte of an answer has come. */
  begun = false
  #abort: ((error?: Error) => void) | undefined
  #status = 0
  #rawHeaders: Buffer[] | undefined
  #body: Buffer | undefined
  /** What follows the first piece of the body; there is seldom more. */
  #rest: Buffer[] | undefined
  readonly #settled: (answer: Answer | undefined, error: unknown) => void
  readonly #giveUp: () => void

  /**
   * @param settled is called once: with the answer, or else with the error
   * @param giveUp ends the attempt to connect, with an error for the exchange
   */
  constructor(settled: (answer: Answer | undefined, error: unknown) => void, giveUp: () => void) {
    this.#settled = settled
    this.#giveUp = giveUp
  }

  /** Ends the exchange with an error. */
  abort(): void {
    if (this.#abort) this.#abort()
    else this.#giveUp()
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort
  }

  onResponseStarted(): void {
    this.begun = true
  }

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    this.#status = status
    this.#rawHeaders = rawHeaders
    return true
  }

  onData(chunk: Buffer): boolean {
    if (this.#body === undefined) this.#body = chunk
    else if (this.#rest === undefined) this.#rest = [chunk]
    else this.#rest.push(chunk)
    return true
  }

  onComplete(): void {
    const status = this.#status
    const rawHeaders = this.#rawHeaders
    const body = this.#rest && this.#body ? Buffer.concat([this.#body, ...this.#rest]) : this.#body
    const text = body?.toString() ?? ''
    const answer: Answer = {
      status,
      header: (name) => headerIn(rawHeaders, name),
      headers: () => headersIn(rawHeaders),
      text,
    }
    this.#settled(answer, undefined)
  }

  onError(error: Error): void {
    this.#settled(undefined, error)
  }
}

function headerIn(raw: readonly Buffer[] = [], wanted: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]
    if (name?.length === wanted.length && name.toString('latin1').toLowerCase() === wanted)
      return raw[i + 1]?.toString('latin1')
  }
  return undefined
}

function headersIn(raw: readonly Buffer[] = []): [string, string][] {
  return Array.from({ length: raw.length >> 1 }, (_, index) => [
    (raw[2 * index] as Buffer).toString('latin1').toLowerCase(),
    (raw[2 * index + 1] as Buffer).toString('latin1'),
  ])
}
