import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach } from '@jest/globals'
import { createS3Client, type S3, type S3Options } from '../../../lambda/s3/index.ts'

export const REGION = 'us-east-1'
export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export type Seen = {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
  socket: Socket
}

/** What a server answers to the nth request (from 0); undefined: nothing at all. */
type Answerer = (
  seen: Seen,
  n: number,
  response: ServerResponse,
) => { status?: number; headers?: Record<string, string>; body?: string } | undefined

/** An HTTP server that remembers the requests as they came. Closed at the end of the test. */
export async function serve(answer: Answerer): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      const { method = '', url = '', headers, socket } = request
      seen.push({ method, url, headers, body, socket })
      const reply = answer(seen.at(-1) as Seen, seen.length - 1, response)
      if (reply !== undefined) response.writeHead(reply.status ?? 200, reply.headers).end(reply.body)
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

/** A client of that server, closed at the end of the test. */
export function client(endpoint: string, options: Partial<S3Options> = {}): S3 {
  const s3 = createS3Client({ region: REGION, endpoint, credentials: () => CREDENTIALS, ...options })
  closers.push(() => s3.close())
  return s3
}

export async function rejection(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
  } catch (error) {
    return error
  }
  throw new Error('the call succeeded')
}

export const COPIED =
  '<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
  '<LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag>' +
  '<ChecksumCRC64NVME>mI+Ji1NHP80=</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></CopyObjectResult>'

export const COPY = { bucket: 'to', key: 'k', sourceBucket: 'from', sourceKey: 'k' }

export function errorXml(code: string, more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>about ${code}</Message>${more}</Error>`
}

/** Keys that have been bent on their way in one client or another. */
export const HOSTILE_KEYS = [
  'plain',
  'a+b',
  '%41',
  '%2F',
  '100%',
  'a b',
  '?versionId=x',
  'q?x=1&y=2;z#frag',
  `quotes'"\`<>|\\`,
  "sub!delims'()*,;:@$&=~",
  '//double//slash//',
  '/leading',
  'folder/',
  '.',
  './a',
  'a/./b',
  'a/../b',
  '../up',
  'a/..',
  '\u0001\u001f\u007f',
  'cr\rlf\ntab\t',
  '\ufffe\uffff',
  '\u{1f600}\ue000\ufffd',
  'e\u0301 \u00e9',
  '日本語/ø®',
  '\u00a0\u2028\u2029',
  '::error::x',
  '\n::set-output name=a::b',
  'soap',
  '__proto__',
  'constructor',
  'x'.repeat(1024),
  '€'.repeat(341),
]
