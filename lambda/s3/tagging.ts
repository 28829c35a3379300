import { hash } from 'node:crypto'
import type { ObjectRequest } from './head.ts'
import { namedHeaders } from './headers.ts'
import type { Operation } from './sender.ts'
import type { Header } from './signer.ts'
import { children, element, rootChildren } from './xml.ts'

/** An object's tags, as the header x-amz-tagging takes them: `name=value&…`, percent-encoded; empty without tags. */
export const GET_OBJECT_TAGGING: Operation<ObjectRequest, string> = {
  request: ({ bucket, key, signal, ...named }) => ({
    method: 'GET',
    bucket,
    key,
    query: { tagging: '' },
    headers: namedHeaders(named),
    signal,
  }),
  read: ({ text }) => {
    const tags: string[] = []
    rootChildren(text, (_, from) =>
      children(text, from, 'TagSet', (_tag, begin, end) => {
        const tag = text.slice(begin, end)
        const pair = [element(tag, 'Key') ?? '', element(tag, 'Value') ?? '']
        tags.push(pair.map(encodeURIComponent).join('='))
      }),
    )
    return tags.join('&')
  },
}

/**
 * Sets an object's tags, in place of those that it has; `tagging` as {@link GET_OBJECT_TAGGING} answers it. S3 wants a
 * digest of the body here.
 */
export const PUT_OBJECT_TAGGING: Operation<ObjectRequest & { tagging: string }, void> = {
  request: ({ bucket, key, tagging, signal, ...named }) => {
    const body = `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${tagging.split('&').map(toXml).join('')}</TagSet></Tagging>`
    const headers: Header[] = [...namedHeaders(named), ['content-md5', hash('md5', body, 'base64')]]
    return { method: 'PUT', bucket, key, query: { tagging: '' }, headers, body, signal }
  },
  read: () => undefined,
}

function toXml(pair: string): string {
  const [name = '', value = ''] = pair.split('=').map((text) => escapeXml(decodeURIComponent(text)))
  return `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
