import { randomUUID } from 'node:crypto'
import { CHECK_MS, type CheckAnswer, type CheckEvent } from '../../protocol/check.ts'
import { KEY_BYTES, utf8Length } from '../../protocol/key.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import {
  ABORT_MULTIPART_UPLOAD,
  CREATE_MULTIPART_UPLOAD,
  failureOf,
  GET_FIRST_BYTE,
  GET_OBJECT_TAGGING,
  isTransient,
  LIST_OBJECT_ANNOTATIONS,
  type ListedObject,
  type ObjectRequest,
  type Operation,
  type S3,
  S3Error,
} from '../s3/index.ts'
import { destinationGuards, placement, sourceGuards, storageClassOf } from './headers.ts'

/** Objects of the source that are looked at, of the first prefix that has some. */
const KEYS = 5

type CheckS3 = Pick<S3, 'listObjectsV2' | 'perform'>
type Check = Required<CheckEvent['check']> & { signal: AbortSignal }

/**
 * Tries with the copy function's own rights what each copy of a run will take: reads a byte, the tags and the names of the
 * annotations of a few objects, and begins an upload to the destination as the run would, which it drops again. So a missing right is
 * found once, before the first object; but for that to write annotations, which takes an object. Never throws for what S3 says.
 */
export async function check(event: CheckEvent['check'], s3: CheckS3): Promise<CheckAnswer> {
  const run = {
    options: {},
    prefixes: [event.source.prefix],
    ...event,
    signal: AbortSignal.timeout(CHECK_MS),
  }
  const found = await Promise.all([checkSource(run, s3), checkDestination(run, s3)])
  return { protocol: PROTOCOL, problems: found.filter((problem) => problem !== undefined) }
}

async function checkSource(
  { source, options, prefixes, signal }: Check,
  s3: CheckS3,
): Promise<string | undefined> {
  const guards = { ...sourceGuards(options), signal }
  const { bucket } = source
  try {
    let objects: ListedObject[] = []
    for (const prefix of prefixes) {
      objects = (await s3.listObjectsV2({ bucket, prefix, ...guards, maxKeys: KEYS })).objects
      if (objects.length > 0) break
    }
    const key = objects[0]?.key
    if (key === undefined) return undefined
    const object = `s3://${bucket}/${key}`
    /** Why none of them can be asked that; one object that is closed is a failure of that object. */
    const refusal = async <Output>(
      operation: Operation<ObjectRequest, Output>,
    ): Promise<S3Error | undefined> => {
      const failures = await Promise.all(
        objects.map((it) => failureOf(s3.perform(operation, { bucket, key: it.key, ...guards }))),
      )
      return failures.every((failure) => failure?.code === 'AccessDenied') ? failures[0] : undefined
    }
    const closed = await refusal(GET_FIRST_BYTE)
    if (closed)
      return `source: the copy function can't read ${object} (${told(closed)}). Its role and the bucket’s policy must allow s3:GetObject, and kms:Decrypt on the key of encrypted objects`
    const tags = options.tags === 'skip' ? undefined : await refusal(GET_OBJECT_TAGGING)
    if (tags)
      return `source: the copy function can't read the tags of ${object} (${told(tags)}). Allow its role s3:GetObjectTagging, or set \`tags: skip\``
    const annotations = options.annotations === 'copy' ? await refusal(LIST_OBJECT_ANNOTATIONS) : undefined
    if (annotations)
      return `source: the copy function can't list the annotations of ${object} (${told(annotations)}). Allow its role s3:ListObjectAnnotations and s3:GetObjectAnnotation, or set \`annotations: skip\``
    return undefined
  } catch {
    // What is in the way of listing, the list function tells.
    return undefined
  }
}

async function checkDestination(run: Check, s3: CheckS3): Promise<string | undefined> {
  const { destination, options } = run
  const place = `s3://${destination.bucket}`
  const plain = await tryUpload(run, s3, {})
  if (plain)
    return `destination: the copy function can't write to ${place}: ${told(plain)}${hint(plain.code)}`
  if (options.tags === 'skip') return undefined
  const tagged = await tryUpload(run, s3, { tagging: 's3-71=check' })
  if (tagged)
    return `destination: the copy function can't set tags in ${place} (${told(tagged)}). Allow its role s3:PutObjectTagging, or set \`tags: skip\``
  return undefined
}

/** Begins an upload of a key that nobody has, and drops it; the error when S3 refuses for good. */
async function tryUpload(
  { destination: { bucket, prefix }, options, signal }: Check,
  s3: CheckS3,
  more: { tagging?: string },
): Promise<S3Error | undefined> {
  const target = { bucket, key: checkKey(prefix) }
  const guards = { ...destinationGuards(options), signal }
  const request = {
    ...target,
    ...guards,
    ...placement({ options }),
    ...storageClassOf(undefined, options),
    ...more,
    metadata: [],
  }
  try {
    const uploadId = await s3.perform(CREATE_MULTIPART_UPLOAD, request)
    await failureOf(s3.perform(ABORT_MULTIPART_UPLOAD, { ...target, ...guards, uploadId }))
    return undefined
  } catch (error) {
    // S3 being busy is nobody's mistake.
    if (!(error instanceof S3Error) || isTransient(error)) return undefined
    return error
  }
}

/** A key below the prefix that nobody has; beside it when there is no room below. */
function checkKey(prefix: string): string {
  const name = `s3-71-check-${randomUUID()}`
  const points = [...prefix]
  while (utf8Length(points.join('')) + name.length > KEY_BYTES) points.pop()
  return points.join('') + name
}

function told({ code, message }: S3Error): string {
  return `${code}: ${message}`
}

function hint(code: string): string {
  if (code === 'AccessControlListNotSupported')
    return '. The bucket takes no ACLs (Object Ownership: bucket owner enforced). Leave `acl` empty'
  if (code === 'AccessDenied') return '. Its role, the bucket’s policy and the KMS key must allow it'
  return ''
}
