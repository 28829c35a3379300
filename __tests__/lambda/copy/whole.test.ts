import { describe, expect, test } from '@jest/globals'
import { VirtualTime } from '../../../bench/simulation/virtual-time.ts'
import { copyObjects } from '../../../lambda/copy/copy.ts'
import type { CopyS3 } from '../../../lambda/copy/job.ts'
import { Pace } from '../../../lambda/copy/pace.ts'
import { type CopyRequest, S3Error } from '../../../lambda/s3/index.ts'
import type { Options, Run } from '../../../protocol/run.ts'
import { newCopyTask } from '../../../protocol/task.ts'

const LISTED = 'a'.repeat(32)
const OTHER = 'b'.repeat(32)

/** An S3 whose copies have an ETag of their own, and a source that HEAD tells of. */
async function copy(
  count: number,
  copied: { etag: string; encryption?: string },
  head:
    | { etag: string; size?: number; encryption?: string }
    | S3Error
    | ((key: string) => { etag: string; encryption: string }),
  options: Options = {},
) {
  const requests: CopyRequest[] = []
  const there = new Set<string>()
  let heads = 0
  const s3 = {
    async copyObject(request: CopyRequest) {
      requests.push(request)
      if (request.ifNoneMatch && there.has(request.key))
        throw new S3Error('PreconditionFailed', 'no', { status: 412, condition: 'If-None-Match' })
      there.add(request.key)
      return { ...copied, etag: `"${copied.etag}"`, checksums: {} }
    },
    async perform(_operation: unknown, input: unknown) {
      heads++
      if (head instanceof S3Error) throw head
      const told = typeof head === 'function' ? head((input as { key: string }).key) : head
      return { size: 7, encryption: 'AES256', ...told, etag: `"${told.etag}"` } as never
    },
  } satisfies CopyS3
  const run: Run = {
    id: 'r',
    queue: 'https://sqs/run',
    source: { bucket: 'from', prefix: '' },
    destination: { bucket: 'to', prefix: '' },
    batchSize: 250,
    options,
  }
  const objects = Array.from({ length: count }, (_, index) => ({ key: `${index}`, size: 5, etag: LISTED }))
  const time = new VirtualTime()
  const signal = new AbortController().signal
  const deps = { s3, pace: new Pace(time), timing: time, deadline: 1e9, signal, isLast: false }
  const result = await time.run(copyObjects(newCopyTask('t.0', run, objects), deps))
  return { result, requests, heads: () => heads }
}

describe('a copy whose ETag is', () => {
  test('the listed one is right, without another request', async () => {
    const { result, heads } = await copy(2, { etag: LISTED, encryption: 'AES256' }, { etag: LISTED })
    expect(result).toMatchObject({ copied: 2, bytes: 10, failures: [] })
    expect(heads()).toBe(0)
  })

  test('another, of a source that has changed to it, is right; its bytes are those of now', async () => {
    const { result } = await copy(1, { etag: OTHER, encryption: 'AES256' }, { etag: OTHER })
    expect(result).toMatchObject({ copied: 1, bytes: 7, failures: [] })
  })

  test('another than the source has is made again, and then a failure', async () => {
    const { result, requests } = await copy(1, { etag: OTHER, encryption: 'AES256' }, { etag: LISTED })
    expect(result).toMatchObject({ copied: 0, failures: [{ key: '0', code: 'ChecksumMismatch' }] })
    expect(requests).toHaveLength(3)
  })

  test('another than the source has is a failure at once where nothing is overwritten: the copy is in its own way', async () => {
    const { result } = await copy(
      1,
      { etag: OTHER, encryption: 'AES256' },
      { etag: LISTED },
      { overwrite: 'never' },
    )
    expect(result).toMatchObject({
      copied: 0,
      skipped: 0,
      failures: [{ key: '0', code: 'ChecksumMismatch' }],
    })
  })

  test('no MD5, since KMS encrypts it, proves nothing', async () => {
    const { result, heads } = await copy(2, { etag: OTHER, encryption: 'aws:kms' }, { etag: LISTED })
    expect(result).toMatchObject({ copied: 2, failures: [] })
    expect(heads()).toBe(0)
  })

  test('another than one of the source has is found, though other objects are under KMS', async () => {
    const { result } = await copy(12, { etag: OTHER, encryption: 'AES256' }, (key) => ({
      etag: LISTED,
      encryption: Number(key) % 2 === 0 ? 'aws:kms' : 'AES256',
    }))
    expect(result).toMatchObject({ copied: 6 })
    expect(result.failures.map(({ key }) => Number(key) % 2)).toEqual([1, 1, 1, 1, 1, 1])
  })

  test('another than all have is asked for a few times only, where all are under KMS', async () => {
    const { result, heads } = await copy(
      250,
      { etag: OTHER, encryption: 'AES256' },
      { etag: LISTED, encryption: 'aws:kms' },
    )
    expect(result).toMatchObject({ copied: 250, failures: [] })
    expect(heads()).toBeLessThan(20)
  })

  test.each([
    ['AccessDenied', 403],
    ['NoSuchKey', 404],
    ['InternalError', 500],
  ])(
    'another than was listed is right where S3 does not tell of the source (%s %i)',
    async (code, status) => {
      const { result } = await copy(
        1,
        { etag: OTHER, encryption: 'AES256' },
        new S3Error(code, 'no', { status }),
      )
      expect(result).toMatchObject({ copied: 1, vanished: 0, failures: [], refused: [] })
    },
  )

  test('one of parts proves nothing', async () => {
    const { result, heads } = await copy(1, { etag: `${OTHER}-2` }, { etag: LISTED })
    expect([result.copied, heads()]).toEqual([1, 0])
  })

  test('another than that of a source that KMS encrypts proves nothing, which is asked once for a task', async () => {
    const { result, heads } = await copy(
      300,
      { etag: OTHER, encryption: 'AES256' },
      { etag: LISTED, encryption: 'aws:kms' },
    )
    expect(result).toMatchObject({ copied: 300, failures: [] })
    expect(heads()).toBeLessThan(100)
  })
})

test('the listed class goes with the copy, and another only where the run says so', async () => {
  const run = async (options: Options) =>
    (await copy(1, { etag: LISTED }, { etag: LISTED }, options)).requests[0]?.storageClass
  expect(await run({})).toBeUndefined()
  expect(await run({ storageClass: 'STANDARD_IA' })).toBe('STANDARD_IA')
})

test('conditions go with the copy where the run says so', async () => {
  const { requests } = await copy(
    1,
    { etag: LISTED },
    { etag: LISTED },
    { overwrite: 'never', ifChanged: 'fail' },
  )
  expect(requests[0]).toMatchObject({ ifNoneMatch: '*', copySourceIfMatch: `"${LISTED}"` })
})
