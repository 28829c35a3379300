import type { Listed } from '../../protocol/task.ts'
import type { ListedObject } from '../s3/index.ts'

/** Classes of which objects have to be restored before they can be read (S3 user guide, "Working with archived objects"). */
const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE'])
/** What S3 writes, and nothing that would burst a message. */
const ETAG = /^"?([\x21-\x7e]{1,80}?)"?$/
const CLASS = /^[A-Z_]{1,40}$/

/** What a copy task says of an object of a listing. */
export function toListed({ key, size, etag, storageClass, restoreStatus }: ListedObject): Listed {
  const listed: Listed = { key, size }
  const plain = ETAG.exec(etag)?.[1]
  if (plain !== undefined) listed.etag = plain
  if (storageClass === undefined || storageClass === 'STANDARD' || !CLASS.test(storageClass)) return listed
  listed.storageClass = storageClass
  const readable = restoreStatus !== undefined && !restoreStatus.inProgress
  if (ARCHIVES.has(storageClass) && !readable) listed.archived = true
  return listed
}
