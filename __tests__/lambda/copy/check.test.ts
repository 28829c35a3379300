import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { check } from '../../../lambda/copy/check.ts'
import { CREATE_MULTIPART_UPLOAD, type S3 } from '../../../lambda/s3/index.ts'
import { type Denial, type Store, startS3 } from '../../../local/s3/index.ts'
import { PROTOCOL } from '../../../protocol/message.ts'
import type { Options } from '../../../protocol/run.ts'
import { clientOf } from './support.ts'

let store: Store
let s3: S3
let stop: () => Promise<void>
beforeAll(async () => {
  const embedded = await startS3()
  store = embedded.store
  s3 = clientOf(embedded.url)
  stop = async () => {
    await s3.close()
    await embedded.close()
  }
  for (const bucket of ['from', 'to', 'empty']) store.createBucket(bucket)
  store.put('from', 'a/1', 'x', { tags: new Map([['a', 'b']]) })
})
afterAll(() => stop())

async function problems(
  options: Options = {},
  denial?: Denial,
  from = 'from',
  prefixes = ['a/'],
): Promise<string> {
  const allow = denial && store.deny(denial)
  const source = { bucket: from, prefix: '' }
  const answer = await check({ source, destination: { bucket: 'to', prefix: 'b/' }, options, prefixes }, s3)
  allow?.()
  expect(answer.protocol).toBe(PROTOCOL)
  return answer.problems.join('\n')
}

test('nothing is in the way, and nothing is left behind', async () => {
  expect(await problems()).toBe('')
  expect(await problems({ sse: 'aws:kms', storageClass: 'GLACIER_IR', archived: 'skip' })).toBe('')
  expect(await problems({}, undefined, 'empty')).toBe('')
  expect([store.bucket('to').objects.size, store.bucket('to').uploads.size]).toEqual([0, 0])
})

test('what the run does not list is not read; of several prefixes the first that has objects is', async () => {
  const closed: Denial = { action: 's3:GetObject' }
  expect(await problems({}, closed, 'from', ['b/'])).toBe('')
  expect(await problems({}, closed, 'from', ['b/', 'a/'])).toMatch(/can't read s3:\/\/from\/a\/1/)
})

test.each<[string, Options, Denial, RegExp]>([
  [
    'reading',
    {},
    { action: 's3:GetObject' },
    /^source: .*can't read s3:\/\/from\/a\/1 \(AccessDenied: .*\)\. .*s3:GetObject,/,
  ],
  [
    'reading tags',
    {},
    { action: 's3:GetObjectTagging' },
    /^source: .*\(AccessDenied: .*\)\. Allow .*s3:GetObjectTagging, or set `tags: skip`$/,
  ],
  [
    'listing annotations',
    { annotations: 'copy' },
    { action: 's3:ListObjectAnnotations' },
    /^source: .*s3:ListObjectAnnotations and s3:GetObjectAnnotation, or .*`annotations: skip`/,
  ],
  [
    'writing',
    {},
    { action: 's3:PutObject' },
    /^destination: .*can't write to s3:\/\/to: AccessDenied: .*KMS key/,
  ],
  [
    'setting tags',
    {},
    { action: 's3:PutObjectTagging' },
    /^destination: .*s3:PutObjectTagging, or .*`tags: skip`/,
  ],
  ['the key', { sse: 'aws:kms' }, { action: 'kms:GenerateDataKey' }, /^destination: .*AccessDenied/],
])('a missing right for %s is named', async (_, options, denial, message) => {
  expect(await problems(options, denial)).toMatch(message)
})

test('an object that is closed while others are open is no reason to refuse a run', async () => {
  for (const key of ['1', '2']) store.put('empty', key, 'x')
  for (const action of ['s3:GetObject', 's3:GetObjectTagging'])
    expect(await problems({}, { action, key: '1' }, 'empty', [''])).toBe('')
  store.bucket('empty').objects.clear()
})

test('rights on tags are not asked for where tags are left behind', async () => {
  for (const action of ['s3:GetObjectTagging', 's3:PutObjectTagging'])
    expect(await problems({ tags: 'skip' }, { action })).toBe('')
})

test('nor those on annotations', async () => {
  expect(await problems({}, { action: 's3:ListObjectAnnotations' })).toBe('')
})

test('an ACL for a bucket that takes none is named with what to do', async () => {
  expect(await problems({ acl: 'public-read' })).toMatch(/AccessControlListNotSupported.*Leave `acl` empty/)
})

test('a right to drop the upload is no condition: its parts are none', async () => {
  expect(await problems({}, { action: 's3:AbortMultipartUpload' })).toBe('')
})

test('what is tried has the class, encryption and ACL of the run: a policy may refuse others', async () => {
  const tried: unknown[] = []
  const noting: Pick<S3, 'listObjectsV2' | 'perform'> = {
    listObjectsV2: (request) => s3.listObjectsV2(request),
    perform: (operation, input) => {
      if (operation === (CREATE_MULTIPART_UPLOAD as unknown)) tried.push(input)
      return s3.perform(operation, input)
    },
  }
  const options: Options = {
    storageClass: 'GLACIER_IR',
    sse: 'aws:kms',
    sseKmsKey: 'arn:aws:kms:us-east-1:111122223333:key/k',
    acl: 'bucket-owner-full-control',
  }
  const run = { source: { bucket: 'from', prefix: '' }, destination: { bucket: 'to', prefix: '' }, options }
  expect(await check(run, noting)).toMatchObject({ problems: [] })
  const expected = {
    storageClass: 'GLACIER_IR',
    serverSideEncryption: 'aws:kms',
    sseKmsKeyId: options.sseKmsKey,
    bucketKeyEnabled: 'true',
    acl: 'bucket-owner-full-control',
  }
  expect(tried).toMatchObject([expected, { ...expected, tagging: 's3-71=check' }])
})

test('an S3 that does not answer is no reason to refuse a run', async () => {
  const silent = { listObjectsV2: never, perform: never }
  const run = { source: { bucket: 'from', prefix: '' }, destination: { bucket: 'to', prefix: '' } }
  expect(await check(run, silent)).toEqual({ protocol: PROTOCOL, problems: [] })
})

/** Answers nothing until it is aborted, as the client does. */
function never(...args: unknown[]): Promise<never> {
  const { signal } = args.at(-1) as { signal: AbortSignal }
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason))
  })
}
