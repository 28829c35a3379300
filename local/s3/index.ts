import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { finished, Readable } from 'node:stream'
import { close, listen } from '../http.ts'
import { readBody } from './body.ts'
import { toText } from './bytes.ts'
import type { Reply } from './call.ts'
import { Content } from './content.ts'
import { type ErrorCode, S3Error } from './errors.ts'
import { type OperationName, operationOf, perform } from './operations.ts'
import { parseRequest, type S3Request } from './request.ts'
import { Store } from './store.ts'
import { errorDocument } from './xml.ts'

export { Content } from './content.ts'
export type { OperationName } from './operations.ts'
export { type Attributes, type Denial, Store } from './store.ts'

/** What an {@link Intercept} sees of a request: its operation and, as text, its key. */
export type Intercepted = Omit<S3Request, 'key'> & { operation: OperationName; key: string }

/**
 * What happens instead of the ordinary answer:
 * - `error`: S3's error answer with this code; the work is not done.
 * - `error-in-200`: status 200 with that error as its body, as CopyObject, UploadPartCopy and CompleteMultipartUpload may
 *   answer; the work is not done. Without a code the body is empty.
 * - `truncated`: the work is done, and the first half of the answer's body sent as if it were all of it.
 * - `reset`: the connection is reset, before the work is done or after.
 */
export type Fault =
  | { kind: 'error'; code: ErrorCode; message?: string }
  | { kind: 'error-in-200'; code?: ErrorCode; message?: string }
  | { kind: 'truncated' }
  | { kind: 'reset'; when: 'before' | 'after' }

/** Called before the work of each request is done. Delays it by a promise, and changes its outcome by a fault. */
export type Intercept = (request: Intercepted) => Fault | undefined | Promise<Fault | undefined>

export type S3 = {
  /** Answers one request. Never throws. */
  handle(message: IncomingMessage, response: ServerResponse): void
  /** What it holds, to arrange and inspect directly. */
  store: Store
}

/** An S3 in memory; nothing of it is on disk. Signatures are not checked. */
export function createS3({ intercept }: { intercept?: Intercept } = {}): S3 {
  const store = new Store()

  async function answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    let request: S3Request | undefined
    try {
      const body = await readBody(message)
      request = parseRequest(message)
      const operation = operationOf(request)
      const fault = await intercept?.({ ...request, operation, key: toText(request.key) })
      if (fault?.kind === 'reset' && fault.when === 'before') return reset(message)
      if (fault?.kind === 'error') throw new S3Error(fault.code, fault.message)
      const reply =
        fault?.kind === 'error-in-200'
          ? { body: fault.code ? errorBody(new S3Error(fault.code, fault.message), message, request) : '' }
          : await perform(operation, { store, request, body })
      if (fault?.kind === 'reset') return reset(message)
      if (fault?.kind === 'truncated' && typeof reply.body === 'string')
        reply.body = reply.body.slice(0, reply.body.length / 2)
      send(message, response, reply, request)
    } catch (error) {
      const known = error instanceof S3Error ? error : new S3Error('InternalError', String(error))
      sendError(message, response, known, request)
    }
  }

  return { store, handle: (message, response) => void answer(message, response) }
}

/** Starts one alone on 127.0.0.1. */
export async function startS3(
  options: Parameters<typeof createS3>[0] = {},
): Promise<{ url: string; store: Store; close: () => Promise<void> }> {
  const { handle, store } = createS3(options)
  const server = createServer(handle)
  server.keepAliveTimeout = 60_000
  const url = await listen(server)
  return { url, store, close: () => close(server) }
}

function reset(message: IncomingMessage): void {
  message.socket.resetAndDestroy()
}

function send(
  message: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  request: S3Request | undefined,
): void {
  const { status = 200, body = '' } = reply
  const content = typeof body === 'string' ? Content.of(body) : body
  const headers = { 'x-amz-request-id': request?.id ?? '0', ...reply.headers }
  if (typeof body === 'string' && body !== '') headers['content-type'] = 'application/xml'
  // A 204 or 304 has no body, nor a length of one (RFC 9110, 8.6).
  if (status !== 204 && status !== 304) headers['content-length'] = content.size
  response.writeHead(status, headers)
  if (message.method === 'HEAD' || status === 304) response.end()
  else if (content.piece) response.end(content.piece)
  else stream(content, response)
}

function stream(content: Content, response: ServerResponse): void {
  const chunks = Readable.from(content.chunks())
  finished(response, () => chunks.destroy())
  chunks.pipe(response)
}

function errorBody(error: S3Error, message: IncomingMessage, request: S3Request | undefined): string {
  return errorDocument({
    Code: error.code,
    Message: error.message,
    ...error.elements,
    Resource: (message.url ?? '').replace(/\?.*/, ''),
    RequestId: request?.id ?? '0',
  })
}

function sendError(
  message: IncomingMessage,
  response: ServerResponse,
  error: S3Error,
  request: S3Request | undefined,
): void {
  if (response.destroyed || response.headersSent) return
  const body = message.method === 'HEAD' ? '' : errorBody(error, message, request)
  send(message, response, { status: error.status, headers: error.headers, body }, request)
}
