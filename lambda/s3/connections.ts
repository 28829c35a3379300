import type { buildConnector } from 'undici'
import Client from 'undici/lib/dispatcher/client.js'
import { Aborts } from './aborts.ts'
import { type Answer, S3Error } from './errors.ts'
import { Exchange, type Outgoing } from './exchange.ts'

/** S3 closes a connection that idles for some seconds; ours goes before. */
const IDLE_MS = 4_000

/** A request for which no connection is free. */
type Waiting = { use: (connection: Connection) => void; signal: AbortSignal | undefined; abort: () => void }

type Connection = {
  client: InstanceType<typeof Client>
  /** Whether the socket has carried an answer: only such a one can have been closed while it idled. */
  used: boolean
  idleSince: number
}

type ConnectionsOptions = {
  origin: string
  /** Connections at most; further requests wait. */
  most: number
  /** The longest silence before an answer, and within it. */
  silenceMs: number
  connector: buildConnector.connector
  now: () => number
}

/**
 * The keep-alive connections to one origin, with one request at a time on each.
 *
 * A request whose socket turns out to have been closed while idle (after a thaw of the function many are, all at once) is
 * sent once more on a new socket. S3's calls bear that: most have the same effect twice as once. An upload that was begun
 * twice leaves an empty one, and one that was joined is begun anew.
 */
export class Connections {
  /** The one that was used last is used first, so that those in surplus fall idle and close. */
  readonly #idle: Connection[] = []
  readonly #open = new Set<Connection>()
  readonly #waiting: Waiting[] = []
  readonly #aborts = new Aborts()
  readonly #options: ConnectionsOptions
  /** As in the Host header. */
  readonly host: string

  constructor(options: ConnectionsOptions) {
    this.#options = options
    this.host = new URL(options.origin).host
  }

  /** Throws S3Error with status 0 when there is no whole answer, and the signal's reason when it is aborted. */
  send(outgoing: Outgoing): Promise<Answer> {
    const { signal } = outgoing
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const use = (connection: Connection) => this.#exchange(outgoing, connection, false, resolve, reject)
      this.#acquire(use, signal, reject)
    })
  }

  /** Closes every connection; requests under way are answered first. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map(({ client }) => client.close()))
  }

  #exchange(
    outgoing: Outgoing,
    connection: Connection,
    again: boolean,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
  ): void {
    const { signal } = outgoing
    const { client } = connection
    const settled = (answer: Answer | undefined, error: unknown) => {
      if (signal) this.#aborts.delete(signal, exchange)
      if (answer === undefined && !again && !signal?.aborted && isStale(connection, exchange, error)) {
        // Not within undici's own handling of the loss. The same client connects anew.
        queueMicrotask(() => this.#exchange(outgoing, connection, true, resolve, reject))
        return
      }
      connection.used = answer !== undefined
      this.#release(connection)
      if (answer !== undefined) resolve(answer)
      else reject(signal?.aborted ? signal.reason : noAnswer(this.host, error))
    }
    // undici would wait until a connection that is being made is there, or has failed, which takes up to ten seconds.
    const exchange = new Exchange(settled, () => void client.destroy())
    if (signal) this.#aborts.add(signal, exchange)
    // undici closes after HEAD unless told otherwise.
    const { method, path, headers, body = null, silenceMs } = outgoing
    const request = { method, path, headers, body, reset: false }
    const patience = silenceMs && { headersTimeout: silenceMs, bodyTimeout: silenceMs }
    client.dispatch(patience ? { ...request, ...patience } : request, exchange)
  }

  #acquire(use: Waiting['use'], signal: AbortSignal | undefined, reject: (error: unknown) => void): void {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      // undici's own timer may be late: a frozen function has none.
      if (this.#options.now() - last.idleSince < IDLE_MS) {
        use(last)
        return
      }
      this.#open.delete(last)
      void last.client.destroy()
    }
    if (this.#open.size < this.#options.most) use(this.#connect())
    else this.#wait(use, signal, reject)
  }

  #wait(use: Waiting['use'], signal: AbortSignal | undefined, reject: (error: unknown) => void): void {
    const abort = () => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      if (signal) this.#aborts.delete(signal, waiting)
      reject(signal?.reason)
    }
    const waiting = { use, signal, abort }
    this.#waiting.push(waiting)
    if (signal) this.#aborts.add(signal, waiting)
  }

  #release(connection: Connection): void {
    const isGone = connection.client.destroyed
    if (isGone) this.#open.delete(connection)
    const next = this.#waiting.shift()
    if (next !== undefined) {
      if (next.signal) this.#aborts.delete(next.signal, next)
      next.use(isGone ? this.#connect() : connection)
      return
    }
    if (isGone) return
    connection.idleSince = this.#options.now()
    this.#idle.push(connection)
  }

  #connect(): Connection {
    const { origin, silenceMs, connector } = this.#options
    const client = new Client(origin, {
      connect: connector,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      keepAliveTimeout: IDLE_MS,
    })
    const connection = { client, used: false, idleSince: 0 }
    client.on('connect', () => {
      connection.used = false
    })
    this.#open.add(connection)
    return connection
  }
}

const LOST = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

function isStale(connection: Connection, exchange: Exchange, error: unknown): boolean {
  return connection.used && !exchange.begun && LOST.has((error as NodeJS.ErrnoException).code ?? '')
}

function noAnswer(host: string, error: unknown): S3Error {
  const { code = 'ConnectionError', message } = error as NodeJS.ErrnoException
  return new S3Error(code, `no answer from ${host}: ${message || code}`, { status: 0, cause: error })
}
