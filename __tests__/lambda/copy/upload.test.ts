import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { expect } from '@jest/globals'
import { Caller } from '../../../lambda/copy/caller.ts'
import { baseRequest, type CopyJob, Taken } from '../../../lambda/copy/job.ts'
import { Pace } from '../../../lambda/copy/pace.ts'
import { readSource } from '../../../lambda/copy/source.ts'
import { begin, drop, setTags, transfer } from '../../../lambda/copy/upload.ts'
import { COMPLETE_MULTIPART_UPLOAD, UPLOAD_PART_COPY } from '../../../lambda/s3/index.ts'
import { Slots } from '../../../lambda/slots.ts'
import type { Options } from '../../../protocol/run.ts'
import { onEveryS3 } from '../../local/s3/harness.ts'
import { ATTRIBUTES, placesOn } from './places.ts'
import { Clock, clientOf, copyThem, listAll } from './support.ts'

/** Headers as they stand on the wire. */
const WORDS = {
  'content-type': 'text/plain',
  expires: 'one day',
  'x-amz-meta-text': Buffer.from('Größe 日本').toString('latin1'),
}

onEveryS3('copying an object in parts', (under) => {
  const { test } = under
  const { buckets, put, head, tagsOf } = placesOn(under)

  /** What copyInParts does of an object that is large enough. */
  async function inParts(
    key: string,
    options: Options,
    parts: (job: CopyJob) => Promise<void>,
    headers?: Record<string, string>,
  ) {
    const places = await buckets()
    const body = Buffer.alloc(6 * 1024 ** 2, 'x')
    if (headers) await under.raw('PUT', `/${places.from}/${key}`, { headers, body })
    else
      await put(places.from, key, {
        ...ATTRIBUTES,
        Tagging: 'team=data',
        StorageClass: 'STANDARD_IA',
        Body: body,
      })
    const [object] = await listAll(places.url, places.from)
    if (!object) throw new Error('not listed')
    const s3 = clientOf(places.url)
    const clock = new Clock()
    const run = {
      id: 'r',
      queue: 'https://sqs/run',
      source: { bucket: places.from, prefix: '' },
      destination: { bucket: places.to, prefix: '' },
      batchSize: 250,
      options,
    }
    const signal = new AbortController().signal
    const caller = new Caller({ pace: new Pace(clock), timing: clock, deadline: 1e9, signal })
    const base = baseRequest(run)
    const memory = { encrypted: 0, looking: new Slots(1), annotating: new Slots(1), inParts: new Slots(1) }
    await parts({ object, key, run, base, s3, caller, memory, isLast: false })
    await s3.close()
    return places
  }

  async function wholly(job: CopyJob): Promise<void> {
    const source = await readSource(job)
    await transfer(job, await begin(job, source), source.checksum)
  }

  test('an object is the same', async () => {
    const { to } = await inParts('a+b/ü?.txt', {}, wholly)
    expect(await head(to, 'a+b/ü?.txt')).toMatchObject({
      ...ATTRIBUTES,
      ContentLength: 6 * 1024 ** 2,
      StorageClass: 'STANDARD_IA',
    })
    expect(await tagsOf(to, 'a+b/ü?.txt')).toEqual([{ Key: 'team', Value: 'data' }])
  })

  test('text that is no date or not ASCII stays as it is, as by one request', async () => {
    const { from, to, url } = await inParts('parts', {}, wholly, WORDS)
    await under.raw('PUT', `/${from}/whole`, { headers: WORDS, body: Buffer.from('x') })
    await copyThem([{ key: 'whole', size: 1 }], { url, from, to })
    const { headers: source } = await under.raw('HEAD', `/${from}/parts`)
    for (const key of ['parts', 'whole']) {
      const { headers } = await under.raw('HEAD', `/${to}/${key}`)
      expect(headers.expires).toBe(WORDS.expires)
      expect(headers['x-amz-meta-text']).toBe(source['x-amz-meta-text'])
    }
  })

  test('tags that are too many for a header are set afterwards', async () => {
    const tagging = Array.from({ length: 10 }, (_, n) => `${n}${'k'.repeat(100)}=${'v'.repeat(200)}`).join(
      '&',
    )
    const { to } = await inParts('k', {}, async (job) => {
      await wholly(job)
      await setTags(job, tagging)
    })
    const tags = await tagsOf(to, 'k')
    expect(tags?.map(({ Key, Value }) => `${Key}=${Value}`).join('&')).toBe(tagging)
  })

  test('what is there by then is left as it is, where the run says so', async () => {
    const { to } = await inParts('k', { overwrite: 'never' }, async (job) => {
      await put(job.run.destination.bucket, job.key, { Body: 'theirs' })
      await expect(wholly(job)).rejects.toThrow(Taken)
    })
    expect(await head(to, 'k')).toMatchObject({ ContentLength: 6 })
  })

  test('a copy is encrypted as the run says, as by one request', async () => {
    const sseKmsKey = 'arn:aws:kms:us-east-1:123456789012:key/k'
    const options: Options = { sse: 'aws:kms', sseKmsKey }
    const { from, to, url } = await inParts('parts', options, wholly)
    await put(from, 'whole')
    await copyThem([{ key: 'whole', size: 13 }], { url, from, to, options })
    for (const key of ['parts', 'whole'])
      expect(await head(to, key)).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: sseKmsKey })
  })

  /** Goes on with an upload that has one part, which lacks so many bytes of the object. Tells what it does for that. */
  async function goOn(missing: number) {
    const done: unknown[] = []
    const { to } = await inParts('k', {}, async (job) => {
      const source = await readSource(job)
      const upload = await begin(job, source)
      const { source: from, destination } = job.run
      await job.s3.perform(UPLOAD_PART_COPY, {
        bucket: destination.bucket,
        key: job.key,
        uploadId: upload.id,
        partNumber: 1,
        sourceBucket: from.bucket,
        sourceKey: job.key,
        first: 0,
        last: source.size - 1 - missing,
      })
      const object = { ...job.object, upload: upload.id }
      const s3: CopyJob['s3'] = {
        ...job.s3,
        perform: (operation, input) => {
          done.push(operation)
          return job.s3.perform(operation, input)
        },
      }
      await transfer({ ...job, object, s3 }, upload, source.checksum)
    })
    expect(await head(to, 'k')).toMatchObject({ ContentLength: 6 * 1024 ** 2 })
    return done
  }

  test('an upload is gone on with by the parts that are there', async () => {
    const done = await goOn(0)
    expect(done).toContain(COMPLETE_MULTIPART_UPLOAD)
    expect(done).not.toContain(UPLOAD_PART_COPY)
  })

  test('a part of another length than this code makes is copied anew', async () => {
    expect(await goOn(1)).toContain(UPLOAD_PART_COPY)
  })

  test('an upload that is dropped leaves nothing', async () => {
    const { to } = await inParts('k', {}, async (job) => drop(job, await begin(job, await readSource(job))))
    const { Uploads = [] } = await under.client().send(new ListMultipartUploadsCommand({ Bucket: to }))
    expect(Uploads).toEqual([])
  })
})
