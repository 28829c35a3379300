import { randomUUID } from 'node:crypto'
import { XMLBuilder } from 'fast-xml-parser'
import { type Handler, readText } from './http.ts'

/** The parameters of a request in AWS's Query protocol, with its dotted names unfolded into objects and lists. */
export type QueryParams = { [name: string]: string | string[] | QueryParams | QueryParams[] | undefined }

/** An error that a Query service answers with. */
export class QueryError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Does one action; what it returns becomes the result element. Throws {@link QueryError}. */
export type Action = (params: QueryParams) => unknown

const builder = new XMLBuilder({ ignoreAttributes: false })

/** Serves an API in AWS's Query protocol: a form goes in, XML comes out. */
export function createQueryApi(namespace: string, actions: ReadonlyMap<string, Action>): Handler {
  return async (request, response) => {
    const form = new URLSearchParams(await readText(request))
    const name = form.get('Action') ?? ''
    const requestId = randomUUID()
    const send = (status: number, document: object) =>
      response.writeHead(status, { 'content-type': 'text/xml' }).end(builder.build(document))
    try {
      const action = actions.get(name)
      if (!action) throw new QueryError('InvalidAction', `The embedded AWS does not take the action ${name}`)
      const result = toElements(await action(unfold(form)))
      send(200, {
        [`${name}Response`]: {
          '@_xmlns': namespace,
          [`${name}Result`]: result ?? {},
          ResponseMetadata: { RequestId: requestId },
        },
      })
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      const { code, message } = error
      const answer = { '@_xmlns': namespace, Error: { Type: 'Sender', Code: code, Message: message } }
      send(400, { ErrorResponse: { ...answer, RequestId: requestId } })
    }
  }
}

/** `A.member.1.B=c` becomes `{ A: [{ B: 'c' }] }`. */
export function unfold(form: URLSearchParams): QueryParams {
  const root = new Map<string, unknown>()
  for (const [name, value] of form) {
    const path = name.split('.').filter((part) => part !== 'member')
    let node = root
    for (const part of path.slice(0, -1)) {
      const child = node.get(part)
      const next = child instanceof Map ? child : new Map<string, unknown>()
      node.set(part, next)
      node = next
    }
    node.set(path.at(-1) ?? '', value)
  }
  return fold(root) as QueryParams
}

function fold(node: unknown): unknown {
  if (!(node instanceof Map)) return node
  const names = [...node.keys()] as string[]
  if (names.length > 0 && names.every((name) => /^\d+$/.test(name)))
    return names.sort((a, b) => Number(a) - Number(b)).map((name) => fold(node.get(name)))
  return Object.fromEntries(names.map((name) => [name, fold(node.get(name))]))
}

/** Lists as `member` elements, times in ISO 8601, what is undefined left out. */
function toElements(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.length === 0 ? '' : { member: value.map(toElements) }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, toElements(item)]),
  )
}
