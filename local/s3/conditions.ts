import { type Call, header } from './call.ts'
import { S3Error } from './errors.ts'
import type { StoredObject } from './store.ts'

function failed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', undefined, { elements: { Condition: condition } })
}

function matches(list: string, etag: string): boolean {
  return list.split(',').some((item) => {
    const candidate = item.trim().replace(/^W\//, '').replace(/^"|"$/g, '')
    return candidate === '*' || candidate === etag
  })
}

/** The four conditions of a read, each undefined when not asked for. */
function evaluate(call: Call, object: StoredObject, prefix: string) {
  const match = header(call.request, `${prefix}if-match`)
  const noneMatch = header(call.request, `${prefix}if-none-match`)
  const modified = Date.parse(header(call.request, `${prefix}if-modified-since`) ?? '')
  const unmodified = Date.parse(header(call.request, `${prefix}if-unmodified-since`) ?? '')
  return {
    match: match === undefined ? undefined : matches(match, object.etag),
    noneMatch: noneMatch === undefined ? undefined : !matches(noneMatch, object.etag),
    modified: Number.isNaN(modified) ? undefined : object.lastModified > modified,
    unmodified: Number.isNaN(unmodified) ? undefined : object.lastModified <= unmodified,
  }
}

/**
 * The conditions of GetObject and HeadObject. An ETag condition overrides the date of its pair (RFC 9110, 13.2.2).
 * Returns whether the answer is 304 Not Modified; throws PreconditionFailed.
 */
export function isNotModified(call: Call, object: StoredObject): boolean {
  const { match, noneMatch, modified, unmodified } = evaluate(call, object, '')
  if (match === false) throw failed('If-Match')
  if (match === undefined && unmodified === false) throw failed('If-Unmodified-Since')
  return noneMatch === undefined ? modified === false : !noneMatch
}

/** The x-amz-copy-source-if-… conditions of CopyObject and UploadPartCopy. Throws PreconditionFailed. */
export function checkSourceConditions(call: Call, source: StoredObject): void {
  const { match, noneMatch, modified, unmodified } = evaluate(call, source, 'x-amz-copy-source-')
  if (match === false) throw failed('x-amz-copy-source-If-Match')
  if (match === undefined && unmodified === false) throw failed('x-amz-copy-source-If-Unmodified-Since')
  if (noneMatch === false) throw failed('x-amz-copy-source-If-None-Match')
  if (noneMatch === undefined && modified === false) throw failed('x-amz-copy-source-If-Modified-Since')
}

/**
 * Conditional writes: `If-None-Match: *` and `If-Match: <etag>` against what is there now (user guide, "conditional
 * writes"). Throws PreconditionFailed, NoSuchKey, NotImplemented.
 */
export function checkWriteConditions(call: Call, existing: StoredObject | undefined): void {
  const noneMatch = header(call.request, 'if-none-match')
  const match = header(call.request, 'if-match')
  if (noneMatch !== undefined) {
    if (noneMatch !== '*')
      throw new S3Error('NotImplemented', undefined, { elements: { Header: 'If-None-Match' } })
    if (existing) throw failed('If-None-Match')
  }
  if (match !== undefined) {
    if (!existing) throw new S3Error('NoSuchKey')
    if (!matches(match, existing.etag)) throw failed('If-Match')
  }
}
