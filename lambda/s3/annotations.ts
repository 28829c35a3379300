import type { ObjectRequest } from './head.ts'
import { namedHeaders } from './headers.ts'
import type { Operation } from './sender.ts'
import { children, element, rootChildren, unescapeXml } from './xml.ts'

/** The names of an object's annotations (S3 API reference, ListObjectAnnotations, since June 2026). */
export const LIST_OBJECT_ANNOTATIONS: Operation<
  ObjectRequest & { token?: string | undefined },
  { names: string[]; next: string | undefined }
> = {
  request: ({ bucket, key, token, signal, ...named }) => ({
    method: 'GET',
    bucket,
    key,
    query: { annotation: '', 'continuation-token': token },
    headers: namedHeaders(named),
    signal,
  }),
  read: ({ text }) => {
    const names: string[] = []
    let next: string | undefined
    rootChildren(text, (name, from, to) => {
      if (name === 'NextContinuationToken') next = unescapeXml(text.slice(from, to))
      if (name !== 'Annotations') return
      children(text, from, name, (_, begin, end) =>
        names.push(element(text.slice(begin, end), 'AnnotationName') ?? ''),
      )
    })
    return { names, next }
  },
}

/** An annotation's payload: 1 byte to 1 MiB of UTF-8. */
export const GET_OBJECT_ANNOTATION: Operation<ObjectRequest & { name: string }, string> = {
  opaque: true,
  request: ({ bucket, key, name, signal, ...named }) => ({
    method: 'GET',
    bucket,
    key,
    query: { annotation: '', annotationName: name },
    headers: namedHeaders(named),
    signal,
  }),
  read: ({ text }) => text,
}

/** Attaches an annotation to an object, in place of one of that name. */
export const PUT_OBJECT_ANNOTATION: Operation<ObjectRequest & { name: string; text: string }, void> = {
  request: ({ bucket, key, name, text, signal, ...named }) => ({
    method: 'PUT',
    bucket,
    key,
    query: { annotation: '', annotationName: name },
    headers: namedHeaders(named),
    body: text,
    signal,
  }),
  read: () => undefined,
}
