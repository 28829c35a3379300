import buildConnector from 'undici/lib/core/connect.js'
import { addressOf, parseEndpoint } from './address.ts'
import { Connections } from './connections.ts'
import { type CredentialProvider, type Credentials, environmentCredentials } from './credentials.ts'
import { encodeQuery } from './encode.ts'
import { type Answer, errorOf, incompleteAnswer, type S3Error } from './errors.ts'
import type { Outgoing } from './exchange.ts'
import { type Header, Signer } from './signer.ts'
import { element, XmlError } from './xml.ts'

export type S3Options = {
  /** The region of buckets of which nothing else is known. */
  region: string
  /** Default: those in the environment. */
  credentials?: CredentialProvider
  /** Default: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` from the environment, or else S3 in the bucket's region. */
  endpoint?: string | undefined
  /** Connections to one host at most; requests beyond these wait their turn. Default 256. */
  connections?: number
  /** How long S3 may be silent before an answer and within it, in milliseconds. Default 60,000. */
  silenceMs?: number
  /** Milliseconds since the epoch. Default `Date.now`. */
  clock?: () => number
}

export type S3Request = {
  method: Outgoing['method']
  bucket: string
  key?: string | undefined
  /** Parameters that are undefined are left out. */
  query?: Readonly<Record<string, string | undefined>>
  /** Lower-case names, besides those that every request has. Values are byte strings: a character is a byte on the wire. */
  headers?: readonly Header[]
  body?: string | undefined
  signal?: AbortSignal | undefined
  /** For a request that S3 may take longer over than others: how long it may be silent, in milliseconds. */
  silenceMs?: number | undefined
}

/** A call of S3: how it is asked for, and what its answer says. */
export type Operation<Input, Output> = {
  request(input: Input): S3Request
  /** The body of a success is what somebody wrote: no error of S3, whatever it looks like. */
  opaque?: true
  /** Throws XmlError or URIError when the answer is not a whole one. */
  read(answer: Answer): Output
}

const CONNECTIONS = 256
const SILENCE_MS = 60_000
const USER_AGENT = 's3-71-action'
const ERROR_DOCUMENT = /^\s*(?:<\?[^>]*\?>\s*)?<Error[\s/>]/
/** S3 refuses a request whose time is farther from its own (S3 API reference, RequestTimeTooSkewed). */
const TOLERATED_SKEW_MS = 15 * 60_000

/** Signs requests, sends them, and follows once what S3 says of the bucket's region and of the time. */
export class Sender {
  readonly #signer = new Signer()
  readonly #connections = new Map<string, Connections>()
  /** By bucket, as learnt from redirects. */
  readonly #regions = new Map<string, string>()
  /** How far S3's clock is ahead of ours. */
  #skewMs = 0
  readonly #region: string
  readonly #credentials: CredentialProvider
  readonly #endpoint: string | undefined
  readonly #clock: () => number
  readonly #newConnections: (origin: string) => Connections

  constructor(options: S3Options) {
    const { region, connections = CONNECTIONS, silenceMs = SILENCE_MS, clock = Date.now } = options
    const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
    const endpoint = options.endpoint ?? (AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL)
    this.#region = region
    this.#credentials = options.credentials ?? environmentCredentials(clock)
    this.#endpoint = endpoint ? parseEndpoint(endpoint) : undefined
    this.#clock = clock
    // One for all, so that connections resume each other's TLS sessions.
    const connector = buildConnector({})
    this.#newConnections = (origin) =>
      new Connections({ origin, most: connections, silenceMs, connector, now: clock })
  }

  /**
   * Carries an operation out. Throws S3Error for everything but a success: also for an error document in a success, and
   * for a body that can't be read.
   */
  async perform<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output> {
    for (let redirected = false, corrected = false; ; ) {
      const provided = this.#credentials()
      const credentials = provided instanceof Promise ? await provided : provided
      // Not kept while the answer is awaited: what is in flight is what garbage collection costs.
      const request = operation.request(input)
      const { bucket, method } = request
      const region = this.#regions.get(bucket) ?? this.#region
      const answer = await this.#send(request, region, credentials)
      if (isSuccess(answer, operation.opaque)) return understood(answer, operation.read)
      const error = errorOf(answer)
      if (!redirected && isElsewhere(error, region)) {
        redirected = true
        this.#regions.set(bucket, error.region)
      } else if (!corrected && this.#correctClock(method, error, answer)) {
        corrected = true
      } else {
        throw error
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((connections) => connections.close()))
  }

  #send(request: S3Request, region: string, credentials: Credentials): Promise<Answer> {
    const { method, bucket, key, headers = [], body, signal, silenceMs } = request
    const { origin, path } = addressOf({ bucket, key, region, endpoint: this.#endpoint })
    const query = request.query === undefined ? '' : encodeQuery(request.query)
    const connections = this.#connectionsTo(origin)
    const unsigned = { method, host: connections.host, path, query, headers, body }
    const signed = this.#signer.sign(unsigned, credentials, region, this.#clock() + this.#skewMs)
    signed.push('user-agent', USER_AGENT)
    const target = query === '' ? path : `${path}?${query}`
    return connections.send({ method, path: target, headers: signed, body, signal, silenceMs })
  }

  #connectionsTo(origin: string): Connections {
    let connections = this.#connections.get(origin)
    if (connections === undefined) {
      connections = this.#newConnections(origin)
      this.#connections.set(origin, connections)
    }
    return connections
  }

  /** Takes S3's time over when the refusal is for ours; whether it is. */
  #correctClock(method: string, error: S3Error, { header, text }: Answer): boolean {
    const theirs = Date.parse(header('date') ?? element(text, 'ServerTime') ?? '')
    if (Number.isNaN(theirs)) return false
    const now = this.#clock()
    const drift = Math.abs(theirs - (now + this.#skewMs))
    // The answer to HEAD has no room for a code.
    const refused =
      error.code === 'RequestTimeTooSkewed' ||
      (method === 'HEAD' && error.status === 403 && drift > TOLERATED_SKEW_MS)
    if (refused) this.#skewMs = theirs - now
    return refused
  }
}

/** Whether a refusal comes from asking, or signing for, another region than the bucket's. */
function isElsewhere(error: S3Error, region: string): error is S3Error & { region: string } {
  const { status } = error
  return (
    (status === 301 || status === 307 || status === 400) &&
    error.region !== undefined &&
    error.region !== region
  )
}

function isSuccess({ status, text }: Answer, opaque = false): boolean {
  return status >= 200 && status < 300 && (opaque || !ERROR_DOCUMENT.test(text))
}

function understood<T>(answer: Answer, read: (answer: Answer) => T): T {
  try {
    return read(answer)
  } catch (error) {
    if (error instanceof XmlError || error instanceof URIError) throw incompleteAnswer(answer, error.message)
    throw error
  }
}
