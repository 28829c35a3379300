import { createHmac, hash } from 'node:crypto'
import type { Credentials } from './credentials.ts'
import { hmacSha256 } from './hmac.ts'

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
/** A value that is signed otherwise than it is sent. */
const ODD = /^ | $| {2}|\t/

/** What signs for a day and a region. */
type Key = { date: string; credentials: Credentials; scope: string; hmac: (text: string) => string }

/**
 * Signs requests to S3 with AWS Signature Version 4 (IAM user guide, "Create a signed AWS API request"; S3 API
 * reference for what S3 does otherwise: the path is encoded once and not normalised, the payload's hash is a header).
 *
 * The signing key of a region is derived once for a day and an access key.
 */
export class Signer {
  /** By region. */
  readonly #keys = new Map<string, Key>()
  #second = Number.NaN
  #timestamp = ''
  /** Of the timestamp. */
  #date = ''

  /**
   * The headers to send besides Host, names and values in turn, for a request that is sent at `time` (milliseconds since
   * the epoch).
   */
  sign(request: Unsigned, credentials: Credentials, region: string, time: number): string[] {
    const { method, host, path, query, body } = request
    const timestamp = this.#format(time)
    const payload = body ? hash('sha256', body) : NOTHING
    const headers: Header[] = []
    for (const header of request.headers) insert(headers, header)
    insert(headers, ['host', host])
    insert(headers, ['x-amz-content-sha256', payload])
    insert(headers, ['x-amz-date', timestamp])
    if (credentials.sessionToken) insert(headers, ['x-amz-security-token', credentials.sessionToken])

    // As a rule the canonical form is what is sent.
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

    const { scope, hmac } = this.#key(credentials, region)
    // S3 takes a header's bytes for Latin-1 characters, and signs these as UTF-8, as hash does.
    const digest = hash('sha256', canonical)
    const signature = hmac(`AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${digest}`)
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
      this.#date = this.#timestamp.slice(0, 8)
    }
    return this.#timestamp
  }

  #key(credentials: Credentials, region: string): Key {
    const date = this.#date
    const { accessKeyId, secretAccessKey } = credentials
    const known = this.#keys.get(region)
    if (
      known?.date === date &&
      known.credentials.accessKeyId === accessKeyId &&
      known.credentials.secretAccessKey === secretAccessKey
    )
      return known
    let derived: Buffer = Buffer.from(`AWS4${secretAccessKey}`)
    for (const part of [date, region, 's3', 'aws4_request'])
      derived = createHmac('sha256', derived).update(part).digest()
    const scope = `${date}/${region}/s3/aws4_request`
    const key = { date, credentials, scope, hmac: hmacSha256(derived) }
    this.#keys.set(region, key)
    return key
  }
}

/** Puts a header in its place. As few as they are, this takes half as long as to sort them. */
function insert(headers: Header[], header: Header): void {
  let at = headers.length
  for (let before = headers[at - 1]; before !== undefined && before[0] > header[0]; before = headers[at - 1])
    headers[at--] = before
  headers[at] = header
}

/** A value as it is signed: without blanks around it, and one where there are several. */
function trimmed(value: string): string {
  return value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
}
