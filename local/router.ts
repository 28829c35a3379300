import type { IncomingMessage } from 'node:http'
import type { Handler } from './http.ts'

const SCOPE = /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/

/**
 * The service that a request is signed for: the fourth part of the credential scope of Signature Version 4, in the
 * Authorization header or, for a presigned URL, in the query. Unsigned requests are taken for S3, the only service here
 * that has them.
 */
export function serviceOf({ headers, url = '/' }: Pick<IncomingMessage, 'headers' | 'url'>): string {
  const presigned = new URLSearchParams(url.split('?')[1]).get('X-Amz-Credential')
  const credential = headers.authorization ?? (presigned ? `Credential=${presigned}` : '')
  return SCOPE.exec(credential)?.[1] ?? 's3'
}

/** Hands each request to the handler of its service, so that one endpoint serves them all. */
export function createRouter(services: ReadonlyMap<string, Handler>): Handler {
  return async (request, response) => {
    const service = serviceOf(request)
    const handler = services.get(service)
    if (!handler) {
      response.writeHead(501).end(`the embedded AWS has no service ${service}`)
      return
    }
    try {
      await handler(request, response)
    } catch (error) {
      if (response.headersSent) response.destroy(error as Error)
      else response.writeHead(500).end((error as Error).stack)
    }
  }
}
