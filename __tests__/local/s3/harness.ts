import { randomBytes } from 'node:crypto'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, test } from '@jest/globals'
import type { Store } from '../../../local/s3/index.ts'
import { type Endpoint, endpointKinds } from '../../support/endpoints.ts'

const REGION = 'us-east-1'

type Test = (title: string, body: () => Promise<void>, timeout?: number) => void

/** The S3 under test, as a suite sees it. */
export type Under = {
  /** A test for every S3. */
  test: Test
  /** A test of something that moto does unlike S3, or can't be brought to do; shown as skipped, with the reason. */
  embeddedOnly(reason: string): Test
  client(region?: string): S3Client
  url(): string
  /** Makes a bucket with a name of its own, or with the given options. */
  newBucket(): Promise<string>
  /** Sends a request as it is: the path is not touched, and there is no retry. */
  raw(method: string, path: string, options?: RawOptions): Promise<RawReply>
  /** The embedded S3's store; for tests that are embedded-only. */
  store(): Store
}

type RawOptions = { headers?: Record<string, string>; body?: string | Buffer; region?: string }
type RawReply = { status: number; headers: IncomingHttpHeaders; body: Buffer; text: string }

const AGENT = new Agent({ keepAlive: true })
const kinds = endpointKinds()
for (const { name, missing } of kinds) {
  if (missing !== undefined) process.stderr.write(`SKIPPED: the S3 tests on ${name}: ${missing}\n`)
}

/** Runs the suite against every S3 there is. */
export function onEveryS3(title: string, suite: (s3: Under) => void): void {
  for (const kind of kinds) {
    if (kind.missing !== undefined) {
      describe(`${title} on ${kind.name}`, () => {
        test.skip(`SKIPPED, all of it: ${kind.missing}`, () => {})
      })
      continue
    }
    describe(`${title} on ${kind.name}`, () => {
      let endpoint: Endpoint
      const clients = new Map<string, S3Client>()
      beforeAll(async () => {
        endpoint = await kind.start()
      }, 300_000)
      afterAll(async () => {
        for (const client of clients.values()) client.destroy()
        await endpoint.close()
      })
      const client = (region = REGION) => {
        const known = clients.get(region)
        if (known) return known
        const made = newClient(endpoint.url, region)
        clients.set(region, made)
        return made
      }
      suite({
        client,
        url: () => endpoint.url,
        test,
        embeddedOnly: (reason) =>
          kind.name === 'embedded'
            ? test
            : (name, body, timeout) => test.skip(`${name} (embedded only: ${reason})`, body, timeout),
        newBucket: async () => {
          const Bucket = `test-${randomBytes(6).toString('hex')}`
          await client().send(new CreateBucketCommand({ Bucket }))
          return Bucket
        },
        raw: (method, path, options) => rawRequest(endpoint.url, method, path, options),
        store: () => {
          if (!endpoint.store) throw new Error(`${kind.name} has no store`)
          return endpoint.store
        },
      })
    })
  }
}

export function newClient(endpoint: string, region: string = REGION): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    maxAttempts: 1,
    // The SDK warns of every empty body.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  })
}

export function rawRequest(
  url: string,
  method: string,
  path: string,
  { headers = {}, body, region = REGION }: RawOptions = {},
): Promise<RawReply> {
  const { hostname, port } = new URL(url)
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/${region}/s3/aws4_request, SignedHeaders=host, Signature=0`
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, method, path, headers: { authorization, ...headers }, agent: AGENT },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const whole = Buffer.concat(chunks)
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: whole,
            text: whole.toString(),
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** What S3 answered with instead of success. */
type Refusal = { code: string; status: number }

/** The error that the call ends in; throws when it succeeds. */
export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  const error = await rejection(call)
  return { code: error.name, status: error.$metadata?.httpStatusCode ?? 0 }
}

type SdkError = Error & { $metadata?: { httpStatusCode?: number } }

export async function rejection(call: Promise<unknown>): Promise<SdkError> {
  try {
    await call
  } catch (error) {
    return error as SdkError
  }
  throw new Error('the call succeeded')
}

/** A key as it stands in a request path or a CopySource. */
export function encode(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/')
}

/** Decodes what a listing says under encoding-type=url. */
export function decodeListed(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

export async function textOf(body: { transformToString(): Promise<string> } | undefined): Promise<string> {
  return body ? body.transformToString() : ''
}
