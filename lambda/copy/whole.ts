import { type CopyAnswer, type CopyRequest, type HeadAnswer, S3Error } from '../s3/index.ts'
import { OutOfTime, Refused } from './caller.ts'
import { isReclassed, storageClassOf } from './headers.ts'
import { type Copy, type CopyJob, Taken, unquoted } from './job.ts'
import { headOf } from './source.ts'

/** An ETag that can be an MD5 of the content: one part, and no key of KMS or the customer. */
const PLAIN = /^[\da-f]{32}$/
/** Copies of one object at most, when it changes under our hands each time. */
const COPIES = 3
/** Objects under KMS in a row that tell of the source's encryption. */
const ENCRYPTED = 8

/**
 * Copies an object by one CopyObject: S3 carries content headers, user metadata and tags along.
 *
 * When both ETags can be MD5s and differ, the source is asked: it may have changed since it was listed. Throws S3Error
 * with the code `ChecksumMismatch` when it has not.
 */
export async function copyWhole(job: CopyJob): Promise<Copy> {
  const { object, run, base, key, s3, caller } = job
  const options = run.options ?? {}
  const redirect = options.websiteRedirects ? (await headOf(job)).redirect : undefined
  const request: CopyRequest = { ...base, key, sourceKey: object.key }
  const { storageClass } = storageClassOf(object.storageClass, options)
  if (storageClass !== undefined) request.storageClass = storageClass
  if (redirect !== undefined) request.websiteRedirectLocation = redirect
  if (options.overwrite === 'never') request.ifNoneMatch = '*'
  if (options.ifChanged && object.etag !== undefined) request.copySourceIfMatch = `"${object.etag}"`
  const reclassed = isReclassed(object.storageClass, options)

  for (let copies = 1; ; copies++) {
    let answer: CopyAnswer
    try {
      answer = await caller.call((how) => s3.copyObject({ ...request, ...how }), object.size)
    } catch (error) {
      throw isTaken(error, request) ? new Taken() : error
    }
    const listed = { bytes: object.size, reclassed }
    if (object.etag === undefined) return listed
    const etag = unquoted(answer.etag)
    if (etag === object.etag || !PLAIN.test(object.etag) || !PLAIN.test(etag)) return listed
    if (!isPlainlyStored(answer.encryption)) return listed
    const now = await lookUnlessEncrypted(job)
    // What is gone by now was there to be copied.
    if (!now || !isPlainlyStored(now.encryption)) return listed
    if (unquoted(now.etag) === etag || !PLAIN.test(unquoted(now.etag))) return { bytes: now.size, reclassed }
    // With If-None-Match another copy would be refused because of this one.
    if (copies === COPIES || options.overwrite === 'never')
      throw new S3Error(
        'ChecksumMismatch',
        `the copy's MD5 is ${etag} and the source's ${unquoted(now.etag)}; the copy is at the destination and should not be used`,
        { status: 200 },
      )
  }
}

/** Whether S3 refused because the destination has such an object. Of two conditions, S3 says which one was not met. */
function isTaken(error: unknown, { ifNoneMatch, copySourceIfMatch }: CopyRequest): boolean {
  if (!(error instanceof S3Error) || error.code !== 'PreconditionFailed' || !ifNoneMatch) return false
  return copySourceIfMatch === undefined || /^if-none-match$/i.test(error.condition ?? '')
}

/** Encrypted by S3's own keys, if at all: such an object's ETag is its MD5. */
function isPlainlyStored(encryption: string | undefined): boolean {
  return encryption === undefined || encryption === 'AES256'
}

/** The source as it is now; undefined when S3 does not tell: no reason to copy again what was copied. */
async function look(job: CopyJob): Promise<HeadAnswer | undefined> {
  try {
    return await headOf(job)
  } catch (error) {
    if (error instanceof S3Error || error instanceof OutOfTime || error instanceof Refused) return undefined
    throw error
  }
}

/** The same, but after several encrypted objects in a row no other of the task is asked: that costs a request, and would tell nothing. */
function lookUnlessEncrypted(job: CopyJob): Promise<HeadAnswer | undefined> {
  const { memory } = job
  return memory.looking.hold(async () => {
    if (memory.encrypted >= ENCRYPTED) return undefined
    const found = await look(job)
    memory.encrypted = isPlainlyStored(found?.encryption) ? 0 : memory.encrypted + 1
    return found
  })
}
