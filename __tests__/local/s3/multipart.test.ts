import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3'
import { expect } from '@jest/globals'
import { Content } from '../../../local/s3/index.ts'
import { onEveryS3, refusal, rejection } from './harness.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const SPARSE = 'moto holds no sparse objects'

onEveryS3('multipart upload', ({ test, embeddedOnly, client, newBucket, raw, store }) => {
  const begin = async (Bucket: string, more: Partial<CreateMultipartUploadCommandInput> = {}) => {
    const { UploadId = '' } = await client().send(
      new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...more }),
    )
    return { Bucket, Key: 'k', UploadId }
  }
  type Upload = Awaited<ReturnType<typeof begin>>
  const upload = async (to: Upload, PartNumber: number, Body: Buffer | string): Promise<CompletedPart> => {
    const { ETag = '' } = await client().send(new UploadPartCommand({ ...to, PartNumber, Body }))
    return { PartNumber, ETag }
  }
  const copyPart = (
    to: Upload,
    PartNumber: number,
    source: string,
    more: Partial<UploadPartCopyCommandInput> = {},
  ) =>
    client().send(
      new UploadPartCopyCommand({ ...to, PartNumber, CopySource: `${to.Bucket}/${source}`, ...more }),
    )
  const complete = (
    to: Upload,
    Parts: CompletedPart[],
    more: Partial<CompleteMultipartUploadCommandInput> = {},
  ) => client().send(new CompleteMultipartUploadCommand({ ...to, MultipartUpload: { Parts }, ...more }))
  const bytesOf = async (Bucket: string, Key = 'k') => {
    const { Body } = await client().send(new GetObjectCommand({ Bucket, Key }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }
  const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest()

  test('parts become one object with all that was said at the beginning', async () => {
    const Bucket = await newBucket()
    const given = {
      ContentType: 'text/x-one',
      ContentEncoding: 'br',
      CacheControl: 'no-store',
      StorageClass: 'STANDARD_IA' as const,
      Metadata: { a: 'b' },
    }
    const to = await begin(Bucket, { ...given, Tagging: 't=1' })
    const [one, two] = [Buffer.alloc(5 * MIB, 'a'), Buffer.from('tail')]
    const parts = [await upload(to, 1, one), await upload(to, 2, two)]
    expect(parts[1]?.ETag).toBe(`"${md5(two).toString('hex')}"`)
    const { ETag } = await complete(to, parts)
    expect(ETag).toBe(`"${md5(Buffer.concat([md5(one), md5(two)])).toString('hex')}-2"`)
    expect((await bytesOf(Bucket)).equals(Buffer.concat([one, two]))).toBe(true)
    const after = await client().send(new HeadObjectCommand({ Bucket, Key: 'k' }))
    expect(after).toMatchObject({ ...given, ETag, ContentLength: 5 * MIB + 4 })
    const { TagSet } = await client().send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))
    expect(TagSet).toEqual([{ Key: 't', Value: '1' }])
  })

  test('parts may come in any order, be left out, and be replaced', async () => {
    const Bucket = await newBucket()
    const to = await begin(Bucket)
    const last = await upload(to, 9, 'last')
    await upload(to, 5, 'left out')
    await upload(to, 2, 'replaced')
    const first = await upload(to, 2, Buffer.alloc(5 * MIB, 'b'))
    await complete(to, [first, last])
    const bytes = await bytesOf(Bucket)
    expect([bytes.length, bytes.subarray(-5).toString()]).toEqual([5 * MIB + 4, 'blast'])
  })

  test('what cannot be completed', async () => {
    const Bucket = await newBucket()
    const to = await begin(Bucket)
    const large = Buffer.alloc(5 * MIB)
    const [one, two, three] = [
      await upload(to, 1, large),
      await upload(to, 2, large),
      await upload(to, 3, 'small'),
    ]
    const code = async (parts: CompletedPart[]) => (await refusal(complete(to, parts))).code
    const four = await upload(to, 4, 'small')
    expect(await code([three, four])).toBe('EntityTooSmall')
    expect(await code([one, { ...two, ETag: '"00000000000000000000000000000000"' }])).toBe('InvalidPart')
    expect(await code([{ ...two, PartNumber: 5 }])).toBe('InvalidPart')
    expect(await code([])).toBe('MalformedXML')
    await complete(to, [three])
    expect((await bytesOf(Bucket)).toString()).toBe('small')
  })

  test('an aborted upload is gone', async () => {
    const Bucket = await newBucket()
    const to = await begin(Bucket)
    const one = await upload(to, 1, 'x')
    await client().send(new AbortMultipartUploadCommand(to))
    expect((await refusal(complete(to, [one]))).status).toBeGreaterThanOrEqual(400)
    expect((await refusal(client().send(new ListPartsCommand(to)))).code).toBe('NoSuchUpload')
    expect((await client().send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []).toEqual([])
  })

  embeddedOnly('moto takes them in any order (S3 model, CompleteMultipartUpload)')(
    'parts are listed in order, none twice',
    async () => {
      const to = await begin(await newBucket())
      const large = Buffer.alloc(5 * MIB)
      const [one, two] = [await upload(to, 1, large), await upload(to, 2, large)]
      expect((await refusal(complete(to, [two, one]))).code).toBe('InvalidPartOrder')
      expect((await refusal(complete(to, [one, one]))).code).toBe('InvalidPartOrder')
    },
  )

  embeddedOnly('moto answers 500, or takes it')(
    'nothing is added to an upload that is gone, or another key’s',
    async () => {
      const Bucket = await newBucket()
      const to = await begin(Bucket)
      expect((await refusal(upload({ ...to, Key: 'other' }, 1, 'x'))).code).toBe('NoSuchUpload')
      await client().send(new AbortMultipartUploadCommand(to))
      const gone = { code: 'NoSuchUpload', status: 404 }
      expect(await refusal(upload(to, 2, 'x'))).toEqual(gone)
      expect(await refusal(complete(to, [{ PartNumber: 1, ETag: 'x' }]))).toEqual(gone)
    },
  )

  test('parts are listed in order', async () => {
    const to = await begin(await newBucket())
    for (const number of [30, 4, 200]) await upload(to, number, `part ${number}`)
    const all = await client().send(new ListPartsCommand(to))
    expect(all.Parts?.map((part) => [part.PartNumber, part.Size])).toEqual([
      [4, 6],
      [30, 7],
      [200, 8],
    ])
  })

  embeddedOnly('moto takes the numbers for positions')('parts are listed page by page', async () => {
    const to = await begin(await newBucket())
    for (const number of [30, 4, 200]) await upload(to, number, 'x')
    const first = await client().send(new ListPartsCommand({ ...to, MaxParts: 2 }))
    expect([first.IsTruncated, first.NextPartNumberMarker, first.Parts?.length]).toEqual([true, '30', 2])
    const rest = await client().send(new ListPartsCommand({ ...to, PartNumberMarker: '30' }))
    expect([rest.IsTruncated, rest.Parts?.map((part) => part.PartNumber)]).toEqual([false, [200]])
  })

  test('uploads are listed', async () => {
    const Bucket = await newBucket()
    for (const Key of ['b', 'a', 'p/c']) await begin(Bucket, { Key })
    const keys = async (more: object) =>
      (await client().send(new ListMultipartUploadsCommand({ Bucket, ...more }))).Uploads?.map(
        (found) => found.Key,
      )
    expect((await keys({}))?.sort()).toEqual(['a', 'b', 'p/c'])
    expect(await keys({ Prefix: 'p/' })).toEqual(['p/c'])
  })

  embeddedOnly('moto gives them all at once, unordered')(
    'uploads are listed in order, page by page',
    async () => {
      const Bucket = await newBucket()
      for (const Key of ['b', 'a', 'ü c', 'a']) await begin(Bucket, { Key })
      const found: string[] = []
      let next: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
      while (next) {
        const page: Awaited<ReturnType<typeof list>> = await list(next)
        found.push(...(page.Uploads?.map(({ Key = '' }) => Key) ?? []))
        const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
        next =
          KeyMarker !== undefined && UploadIdMarker !== undefined ? { KeyMarker, UploadIdMarker } : undefined
      }
      expect(found).toEqual(['a', 'a', 'b', 'ü c'])
      function list(marker: object) {
        return client().send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, ...marker }))
      }
    },
  )

  test('part numbers go from 1 to 10,000', async () => {
    const to = await begin(await newBucket())
    await upload(to, 10_000, 'x')
    expect((await refusal(upload(to, 10_001, 'x'))).code).toBe('InvalidArgument')
  })

  test('UploadPartCopy: whole, and by range', async () => {
    const Bucket = await newBucket()
    const Body = Buffer.concat([Buffer.alloc(3 * MIB, 'a'), Buffer.alloc(3 * MIB, 'b')])
    await client().send(new PutObjectCommand({ Bucket, Key: 'source', Body }))
    const to = await begin(Bucket)
    const one = await copyPart(to, 1, 'source')
    const two = await copyPart(to, 2, 'source', { CopySourceRange: `bytes=${3 * MIB - 1}-${3 * MIB}` })
    expect(one.CopyPartResult?.ETag).toBe(`"${md5(Body).toString('hex')}"`)
    await complete(to, [
      { PartNumber: 1, ETag: one.CopyPartResult?.ETag },
      { PartNumber: 2, ETag: two.CopyPartResult?.ETag },
    ])
    expect((await bytesOf(Bucket)).equals(Buffer.concat([Body, Buffer.from('ab')]))).toBe(true)
  })

  test('UploadPartCopy: a source that is not there', async () => {
    const to = await begin(await newBucket())
    expect((await refusal(copyPart(to, 1, 'none'))).status).toBe(404)
  })

  embeddedOnly('moto does not check them (aws-facts, Source guard and MPU copy; S3 model, UploadPartCopy)')(
    'UploadPartCopy: ranges and conditions that do not hold',
    async () => {
      const Bucket = await newBucket()
      const put = (Key: string, size: number) =>
        client().send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(size) }))
      await put('source', 6 * MIB)
      await put('small', 5 * MIB)
      await put('empty', 0)
      const to = await begin(Bucket)
      const code = async (source: string, more: Partial<UploadPartCopyCommandInput>) =>
        (await refusal(copyPart(to, 1, source, more))).code
      for (const CopySourceRange of ['bytes=0-', 'bytes=-5', '0-5', 'bytes=5-4', `bytes=0-${6 * MIB}`]) {
        expect([CopySourceRange, await code('source', { CopySourceRange })]).toEqual([
          CopySourceRange,
          'InvalidArgument',
        ])
      }
      expect(await code('small', { CopySourceRange: 'bytes=0-1' })).toBe('InvalidRequest')
      expect(await code('empty', {})).toBe('InvalidRequest')
      expect(await code('source', { CopySourceIfMatch: '"other"' })).toBe('PreconditionFailed')
      expect(await code('source', { ExpectedSourceBucketOwner: '9'.repeat(12) })).toBe('AccessDenied')
      expect(await code('none', {})).toBe('NoSuchKey')
      await copyPart(to, 1, 'small')
    },
  )

  embeddedOnly(SPARSE)('a part has 5 GiB at most', async () => {
    const Bucket = await newBucket()
    store().put(Bucket, 'source', Content.sparse(5 * GIB + 1))
    const to = await begin(Bucket)
    for (const more of [{}, { CopySourceRange: `bytes=0-${5 * GIB}` }]) {
      const error = await rejection(copyPart(to, 1, 'source', more))
      expect([error.name, error.message]).toEqual(['InvalidRequest', expect.stringContaining('5368709120')])
    }
    await copyPart(to, 1, 'source', { CopySourceRange: `bytes=1-${5 * GIB}` })
  })

  embeddedOnly(SPARSE)(
    '10,000 parts of 5 GiB: the largest object there can be',
    async () => {
      const Bucket = await newBucket()
      const size = 10_000 * 5 * GIB
      store().put(Bucket, 'source', Content.sparse(size))
      const to = await begin(Bucket)
      const parts: CompletedPart[] = []
      const one = async (PartNumber: number) => {
        const start = (PartNumber - 1) * 5 * GIB
        const path = `/${Bucket}/k?partNumber=${PartNumber}&uploadId=${to.UploadId}`
        // Without the SDK, which takes most of the time of so many calls.
        const { status, text } = await raw('PUT', path, {
          headers: {
            'x-amz-copy-source': `${Bucket}/source`,
            'x-amz-copy-source-range': `bytes=${start}-${start + 5 * GIB - 1}`,
          },
        })
        if (status !== 200) throw new Error(text)
        parts[PartNumber - 1] = { PartNumber, ETag: /<ETag>&quot;(\w+)/.exec(text)?.[1] }
      }
      for (let number = 1; number <= 10_000; number += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, i) => one(number + i)))
      }
      const { ETag } = await complete(to, parts, { MpuObjectSize: size })
      expect(ETag).toMatch(/^"[0-9a-f]{32}-10000"$/)
      const copied = store().get(Bucket, 'k')
      expect(copied?.content.size).toBe(size)
      // The same bytes in the same order, however they were put together.
      expect(copied?.content.md5).toBe(store().get(Bucket, 'source')?.content.md5)
      const { Body } = await client().send(
        new GetObjectCommand({ Bucket, Key: 'k', Range: `bytes=${5 * GIB - 2}-${5 * GIB + 1}` }),
      )
      const expected = store()
        .get(Bucket, 'source')
        ?.content.slice(5 * GIB - 2, 5 * GIB + 2)
      expect(Buffer.from((await Body?.transformToByteArray()) ?? [])).toEqual(expected?.toBuffer())
    },
    120_000,
  )

  test('a copy of an object of several parts has one part, and another ETag', async () => {
    const Bucket = await newBucket()
    const to = await begin(Bucket)
    await complete(to, [await upload(to, 1, 'whole')])
    await client().send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/k` }))
    const etag = async (Key: string) => (await client().send(new HeadObjectCommand({ Bucket, Key }))).ETag
    expect(await etag('k')).toMatch(/-1"$/)
    expect(await etag('copy')).toBe(`"${md5(Buffer.from('whole')).toString('hex')}"`)
  })

  test('completing under If-None-Match: * keeps what is there', async () => {
    const Bucket = await newBucket()
    const to = await begin(Bucket)
    const parts = [await upload(to, 1, 'late')]
    await client().send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'early' }))
    expect(await refusal(complete(to, parts, { IfNoneMatch: '*' }))).toEqual({
      code: 'PreconditionFailed',
      status: 412,
    })
    expect((await bytesOf(Bucket)).toString()).toBe('early')
  })

  embeddedOnly('moto ignores the size')(
    'completing with another size than the parts have is refused',
    async () => {
      const Bucket = await newBucket()
      const to = await begin(Bucket)
      const parts = [await upload(to, 1, 'four')]
      expect((await refusal(complete(to, parts, { MpuObjectSize: 5 }))).code).toBe('InvalidRequest')
      await complete(to, parts, { MpuObjectSize: 4 })
    },
  )

  embeddedOnly('moto computes no checksum of the whole (aws-facts, MPU checksums)')(
    'checksums of the whole, and of the parts',
    async () => {
      const Bucket = await newBucket()
      const send = async (more: Partial<CreateMultipartUploadCommandInput>) => {
        const to = await begin(Bucket, more)
        const one = await client().send(
          new UploadPartCommand({ ...to, PartNumber: 1, Body: '123456789', ...more }),
        )
        const { $metadata: _, ...part } = one
        return complete(to, [{ PartNumber: 1, ...part }])
      }
      const full = await send({ ChecksumAlgorithm: 'CRC64NVME' })
      expect([full.ChecksumType, full.ChecksumCRC64NVME]).toEqual(['FULL_OBJECT', 'rosUhgp5mIg='])
      const whole = await send({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' })
      expect([whole.ChecksumType, whole.ChecksumCRC32]).toEqual(['FULL_OBJECT', 'y/Q5Jg=='])
      const parts = await send({ ChecksumAlgorithm: 'SHA256' })
      const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest()
      expect([parts.ChecksumType, parts.ChecksumSHA256]).toEqual([
        'COMPOSITE',
        `${digest(digest(Buffer.from('123456789'))).toString('base64')}-1`,
      ])
      expect((await refusal(send({ ChecksumAlgorithm: 'SHA1', ChecksumType: 'FULL_OBJECT' }))).code).toBe(
        'InvalidRequest',
      )
    },
  )

  embeddedOnly('moto shows the whole object')('the object still knows its parts', async () => {
    const Bucket = await newBucket()
    const to = await begin(Bucket)
    await complete(to, [await upload(to, 1, Buffer.alloc(5 * MIB)), await upload(to, 2, 'tail')])
    const { ContentLength, ContentRange, PartsCount } = await client().send(
      new HeadObjectCommand({ Bucket, Key: 'k', PartNumber: 2 }),
    )
    expect([ContentLength, ContentRange, PartsCount]).toEqual([
      4,
      `bytes ${5 * MIB}-${5 * MIB + 3}/${5 * MIB + 4}`,
      2,
    ])
  })

  embeddedOnly('moto has no rights to take away here')(
    'tags at the beginning need the right to tag',
    async () => {
      const Bucket = await newBucket()
      store().deny({ action: 's3:PutObjectTagging', bucket: Bucket })
      await begin(Bucket)
      expect((await refusal(begin(Bucket, { Tagging: 'a=1' }))).code).toBe('AccessDenied')
    },
  )
})
