import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ALGORITHMS, type Algorithm, checksumHeader } from './checksums.ts'
import { Content } from './content.ts'
import { S3Error } from './errors.ts'

/** A request's body, and the trailing headers that came with an aws-chunked one. */
export type Body = { bytes: Buffer; trailers: ReadonlyMap<string, string> }

const EMPTY: Body = { bytes: Buffer.alloc(0), trailers: new Map() }

/** Reads the body whole, without the aws-chunked framing that SDKs put around a streamed one. */
export async function readBody(message: IncomingMessage): Promise<Body> {
  const { headers } = message
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return EMPTY
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
  const framed =
    /\baws-chunked\b/.test(headers['content-encoding'] ?? '') ||
    String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')
  return framed ? decodeAwsChunked(bytes) : { bytes, trailers: EMPTY.trailers }
}

/**
 * `size[;chunk-signature=…] CRLF data CRLF` again and again, size 0, trailing headers. Signatures are not checked.
 * Source: S3 API reference, "Signature calculations … using multiple chunks". Throws IncompleteBody.
 */
function decodeAwsChunked(framed: Buffer): Body {
  const chunks: Buffer[] = []
  let at = 0
  const line = (): string => {
    const end = framed.indexOf('\r\n', at)
    if (end < 0) throw new S3Error('IncompleteBody')
    const text = framed.toString('latin1', at, end)
    at = end + 2
    return text
  }
  for (;;) {
    const size = Number.parseInt(line(), 16)
    if (!(size >= 0) || at + size > framed.length) throw new S3Error('IncompleteBody')
    if (size === 0) break
    chunks.push(framed.subarray(at, at + size))
    at += size + 2
  }
  const trailers = new Map<string, string>()
  while (at < framed.length) {
    const text = line()
    const colon = text.indexOf(':')
    if (colon > 0) trailers.set(text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim())
  }
  return { bytes: Buffer.concat(chunks), trailers }
}

/**
 * The body as content, after comparing it with the Content-MD5 and the checksum that came with it. The checksum is the
 * one that the sender gave, if any. Throws BadDigest, InvalidDigest.
 */
export async function receivedContent(
  headers: IncomingMessage['headers'],
  { bytes, trailers }: Body,
): Promise<{ content: Content; checksum?: { algorithm: Algorithm; value: string } }> {
  const content = Content.of(bytes)
  const md5 = headers['content-md5']
  if (typeof md5 === 'string') {
    if (Buffer.from(md5, 'base64').length !== 16) throw new S3Error('InvalidDigest')
    if (createHash('md5').update(bytes).digest('base64') !== md5) throw new S3Error('BadDigest')
  }
  for (const algorithm of ALGORITHMS) {
    const name = checksumHeader(algorithm)
    const value = headers[name] ?? trailers.get(name)
    if (typeof value !== 'string') continue
    if ((await content.checksum(algorithm)) !== value) {
      throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`)
    }
    return { content, checksum: { algorithm, value } }
  }
  return { content }
}
