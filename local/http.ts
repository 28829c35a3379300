import type { IncomingMessage, ServerResponse } from 'node:http'

/** Answers one HTTP request to a service. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** The whole body of a request as text. */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
