/**
 * What can be seen through AWS's API alone: runs on the embedded AWS, on any endpoint, and on AWS itself (docs/development.md).
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { DeleteStackCommand, waitUntilStackDeleteComplete } from '@aws-sdk/client-cloudformation'
import {
  type BucketLocationConstraint,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import pLimit from 'p-limit'
import { compareBuckets, listKeys } from '../../local/demo/compare.ts'
import { difficultObjects } from '../../local/demo/objects.ts'
import { runStep, type StepResult } from '../../local/runner.ts'
import { describeStack } from '../../src/stack/outputs.ts'
import { startTarget, type Target } from '../support/target.ts'

jest.setTimeout(1_800_000)

const MIB = 1024 ** 2
const NAME = `s3-71-test-${randomBytes(4).toString('hex')}`
const SOURCE = `${NAME}-from`
const DESTINATION = `${NAME}-to`
const CODE = `${NAME}-code`
/** More than two pages, so that the listing looks ahead. */
const NUMBERED = Array.from({ length: 2500 }, (_, index) => `numbered/${String(index).padStart(6, '0')}`)
/** What an object can carry, of which parts copied one by one lose everything. */
const CARRIED = {
  ContentType: 'text/x-test',
  CacheControl: 'max-age=60',
  // As S3 shows what is more than ASCII. The SDK sends such text as it signs it only where the body is no text.
  Metadata: { plain: 'yes', encoded: '=?UTF-8?Q?gr=C3=BCn?=' },
  Tagging: 'team=data&a%2Bb=c%20d',
  StorageClass: 'STANDARD_IA' as const,
}
const limit = pLimit(32)

let target: Target
let total = 0
beforeAll(async () => {
  target = await startTarget()
  for (const bucket of [SOURCE, DESTINATION, CODE]) await createBucket(bucket)
  const difficult = await Promise.all(difficultObjects('difficult/').map(({ key }) => limit(() => put(key))))
  await Promise.all(NUMBERED.map((key) => limit(() => put(key))))
  await put('carries/small', CARRIED)
  await putLarge('carries/large', CARRIED)
  total = NUMBERED.length + difficult.filter(Boolean).length + 3
})
afterAll(async () => {
  // Whatever can't be deleted, the rest is.
  const ends = await Promise.allSettled([deleteStack(), ...[SOURCE, DESTINATION, CODE].map(deleteBucket)])
  await target.stop()
  expect(ends.filter(({ status }) => status === 'rejected')).toEqual([])
})

function run(more: Record<string, string> = {}): Promise<StepResult> {
  const inputs = {
    source: `s3://${SOURCE}`,
    destination: `s3://${DESTINATION}`,
    'stack-name': NAME,
    'artifact-bucket': CODE,
    'max-concurrency': '3',
    'after-run': 'keep',
    'poll-interval': '2',
    ...more,
  }
  return runStep({ inputs, env: target.env })
}

test('a first run deploys the stack and copies every key with all that belongs to it', async () => {
  const step = await run()
  expect(step.log).not.toMatch(/::(error|warning)/)
  expect(step.log).toMatch(/Created in /)
  expect(step.outputs).toMatchObject({ status: 'succeeded', listed: `${total}`, copied: `${total}` })
  const { identical, differences } = await compareBuckets(target.s3, SOURCE, DESTINATION)
  expect(differences).toEqual([])
  expect(identical).toBe(total)
})

test('a second run finds the stack and, told to, leaves what is there', async () => {
  const step = await run({ overwrite: 'never' })
  expect(step.log).toMatch(/Reused in /)
  expect(step.outputs).toMatchObject({ status: 'succeeded', copied: '0', skipped: `${total}` })
})

test('a run that nobody waits for is attached to, and counts all', async () => {
  const key = { 'run-key': 'later', prefixes: 'numbered/' }
  const begun = await run({ ...key, wait: 'false' })
  expect(begun.exitCode).toBe(0)
  expect(begun.outputs).toMatchObject({ status: 'running' })
  const ended = await run(key)
  expect(ended.log).toMatch(/Attached to the run/)
  expect(ended.outputs).toMatchObject({ status: 'succeeded', copied: `${NUMBERED.length}` })
})

test('two runs at once on one stack have numbers of their own', async () => {
  const [numbered, carried] = await Promise.all([
    run({ prefixes: 'numbered/' }),
    run({ prefixes: 'carries/' }),
  ])
  expect(numbered.outputs).toMatchObject({ status: 'succeeded', copied: `${NUMBERED.length}` })
  expect(carried.outputs).toMatchObject({ status: 'succeeded', copied: '3' })
})

test('an object in an archive fails by name, and the others are copied', async () => {
  await put('archive/frozen', { StorageClass: 'GLACIER' })
  await put('archive/here')
  const step = await run({ prefixes: 'archive/', 'max-failures': '1' })
  expect(step.exitCode).toBe(1)
  expect(step.outputs).toMatchObject({ status: 'failed', copied: '1', failed: '1', dlq: '0' })
  const report = (await readFile(step.outputs.report as string, 'utf8')).trim()
  expect(JSON.parse(report)).toMatchObject({ key: 'archive/frozen', code: 'InvalidObjectState' })
})

test('a redrive of nothing says so, and the stack goes when it is told to', async () => {
  const step = await run({ mode: 'redrive', 'after-run': 'delete' })
  expect(step.log).toMatch(/::notice::There is nothing to redrive/)
  expect(step.outputs).toMatchObject({ status: 'succeeded', listed: '0' })
  expect(await describeStack(target.cloudFormation, NAME)).toBeUndefined()
})

async function createBucket(Bucket: string): Promise<void> {
  const { region } = target
  const LocationConstraint = region as BucketLocationConstraint
  const config = region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint } }
  await target.s3.send(new CreateBucketCommand({ Bucket, ...config }))
}

/** Whether S3 took it: there may be keys that AWS refuses, which nobody has then. */
async function put(Key: string, more: Partial<typeof CARRIED> | { StorageClass: 'GLACIER' } = {}) {
  try {
    await target.s3.send(new PutObjectCommand({ Bucket: SOURCE, Key, Body: `the object ${Key}`, ...more }))
    return true
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 400) throw error
    console.warn(`S3 takes no object with the key ${JSON.stringify(Key)}: ${error}`)
    return false
  }
}

/** An object that has to be copied in parts, of which little is uploaded: its parts are copies of one object. */
async function putLarge(Key: string, carried: typeof CARRIED): Promise<void> {
  const { s3 } = target
  const part = { Bucket: SOURCE, Key: 'carries/part' }
  await s3.send(new PutObjectCommand({ ...part, Body: randomBytes(16 * MIB) }))
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: SOURCE, Key, ...carried }))
  const upload = { Bucket: SOURCE, Key, UploadId }
  const numbers = Array.from({ length: 66 }, (_, index) => index + 1)
  const Parts = await Promise.all(
    numbers.map((PartNumber) =>
      limit(async () => {
        const CopySource = `${SOURCE}/${part.Key}`
        const answer = await s3.send(new UploadPartCopyCommand({ ...upload, PartNumber, CopySource }))
        return { PartNumber, ETag: answer.CopyPartResult?.ETag }
      }),
    ),
  )
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }))
}

async function deleteStack(): Promise<void> {
  const { cloudFormation: client } = target
  await client.send(new DeleteStackCommand({ StackName: NAME }))
  await waitUntilStackDeleteComplete({ client, maxWaitTime: 600 }, { StackName: NAME })
}

/** One by one: XML, in which many keys can be named at once, can't hold some of them. */
async function deleteBucket(Bucket: string): Promise<void> {
  const keys = await listKeys(target.s3, Bucket)
  await Promise.all(
    [...keys].map((Key) => limit(() => target.s3.send(new DeleteObjectCommand({ Bucket, Key })))),
  )
  await target.s3.send(new DeleteBucketCommand({ Bucket }))
}
