import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import type { Credentials } from './credentials.ts'

export type Header = [name: string, value: string]

/** A request as it will be on the wire. */
export type Unsigned = {
  method: string
  /** Host and port as in the Host header. */
  host: string
  /** Percent-encoded; signed and sent as it is. */
  path: string
  /** Percent-encoded and in order; empty when there is none. */
  query: string
  /** Lower-case names, each once. Values are byte strings: a character is a byte on the wire. All are signed. */
  headers: readonly Header[]
  body?: string | undefined
}

/** SHA-256 of no bytes. */
const NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
/** A value that is signed otherwise than it is sent, or is more than ASCII. */
const ODD = /^ | $| {2}|[^ -~]/
/** Keys kept at most: one for each day, region and access key in use. */
const KEPT = 64

/**
 * Signs requests to S3 with AWS Signature Version 4 (IAM user guide, "Create a signed AWS API request"; S3 API
 * reference for what S3 does otherwise: the path is encoded once and not normalised, the payload's hash is a header).
 *
 * The signing key is derived once for a day, region and access key.
 */
export class Signer {
  readonly #keys = new Map<string, { secret: string; key: KeyObject }>()
  #second = Number.NaN
  #timestamp = ''

  /**
   * The headers to send besides Host, names and values in turn, for a request that is sent at `time` (milliseconds since
   * the epoch).
   */
  sign(request: Unsigned, credentials: Credentials, region: string, time: number): string[] {
    const { method, host, path, query, body } = request
    const timestamp = this.#format(time)
    const payload = body ? hash('sha256', body) : NOTHING
    const headers: Header[] = [
      ...request.headers,
      ['host', host],
      ['x-amz-content-sha256', payload],
      ['x-amz-date', timestamp],
    ]
    if (credentials.sessionToken) headers.push(['x-amz-security-token', credentials.sessionToken])
    headers.sort(byName)

    // As a rule the canonical form is what is sent, and a character a byte.
    const plain = !request.headers.some(([, value]) => ODD.test(value))
    let canonical = `${method}\n${path}\n${query}\n`
    let names = ''
    const sent: string[] = []
    for (const [name, value] of headers) {
      canonical += `${name}:${plain ? value : trimmed(value)}\n`
      names += names === '' ? name : `;${name}`
      if (name !== 'host') sent.push(name, value)
    }
    canonical += `\n${names}\n${payload}`

    const date = timestamp.slice(0, 8)
    const scope = `${date}/${region}/s3/aws4_request`
    const digest = hash('sha256', plain ? canonical : Buffer.from(canonical, 'latin1'))
    const signature = createHmac('sha256', this.#key(credentials, date, region))
      .update(`AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${digest}`)
      .digest('hex')
    sent.push(
      'authorization',
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    )
    return sent
  }

  /** As SigV4 writes a time: 20130524T000000Z. */
  #format(time: number): string {
    const second = Math.floor(time / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#timestamp = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[:-]/g, '')}Z`
    }
    return this.#timestamp
  }

  #key({ accessKeyId, secretAccessKey }: Credentials, date: string, region: string): KeyObject {
    const name = `${date}/${region}/${accessKeyId}`
    const known = this.#keys.get(name)
    if (known?.secret === secretAccessKey) return known.key
    let derived: Buffer = Buffer.from(`AWS4${secretAccessKey}`)
    for (const part of [date, region, 's3', 'aws4_request'])
      derived = createHmac('sha256', derived).update(part).digest()
    // With a KeyObject an HMAC costs a sixth of what it does with a Buffer.
    const key = createSecretKey(derived)
    if (this.#keys.size >= KEPT) this.#keys.clear()
    this.#keys.set(name, { secret: secretAccessKey, key })
    return key
  }
}

function byName([a]: Header, [b]: Header): number {
  return a < b ? -1 : 1
}

/** A value as it is signed: without blanks around it, and one where there are several. */
function trimmed(value: string): string {
  return value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
}
