import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  ChecksumAlgorithm,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { expect } from '@jest/globals'
import { encode, onEveryS3, refusal, rejection, textOf } from './harness.ts'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

onEveryS3('objects', ({ test, embeddedOnly, client, newBucket, raw, store }) => {
  const put = (Bucket: string, Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    client().send(new PutObjectCommand({ Bucket, Key, ...more }))
  const get = (Bucket: string, Key: string) => client().send(new GetObjectCommand({ Bucket, Key }))
  const head = (Bucket: string, Key: string) => client().send(new HeadObjectCommand({ Bucket, Key }))

  test('an object comes back with all that belongs to it', async () => {
    const Bucket = await newBucket()
    const given = {
      ContentType: 'text/plain; charset=utf-8',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de, fr',
      ContentDisposition: 'attachment; filename="a b.txt"',
      CacheControl: 'max-age=60, public',
      Metadata: { one: '1', 'two-three': 'x = y; z' },
    }
    const { ETag } = await put(Bucket, 'k', { Body: 'hello', ...given })
    expect(ETag).toBe(`"${md5('hello')}"`)
    const answer = await get(Bucket, 'k')
    expect(await textOf(answer.Body)).toBe('hello')
    expect(answer).toMatchObject({ ...given, ETag, ContentLength: 5, AcceptRanges: 'bytes' })
    expect(answer.LastModified?.getTime()).toBeGreaterThan(Date.now() - 60_000)
    const { ContentLength, ETag: same, ...rest } = await head(Bucket, 'k')
    expect([ContentLength, same]).toEqual([5, ETag])
    expect(rest).toMatchObject(given)
  })

  test('an Expires that is no date is carried as the string it is', async () => {
    const Bucket = await newBucket()
    await raw('PUT', `/${Bucket}/k`, { headers: { expires: 'in a while' }, body: 'x' })
    expect((await raw('HEAD', `/${Bucket}/k`)).headers.expires).toBe('in a while')
  })

  test('without a content type it is binary/octet-stream', async () => {
    const Bucket = await newBucket()
    await raw('PUT', `/${Bucket}/k`, { body: 'x' })
    expect((await head(Bucket, 'k')).ContentType).toBe('binary/octet-stream')
  })

  test('no bytes are an object too', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'folder/', { Body: '' })
    const answer = await get(Bucket, 'folder/')
    expect([answer.ContentLength, answer.ETag, await textOf(answer.Body)]).toEqual([0, `"${md5('')}"`, ''])
  })

  test('a missing object is NoSuchKey, and only a status for HEAD', async () => {
    const Bucket = await newBucket()
    expect(await refusal(get(Bucket, 'none'))).toEqual({ code: 'NoSuchKey', status: 404 })
    const answer = await raw('HEAD', `/${Bucket}/none`)
    expect([answer.status, answer.text]).toEqual([404, ''])
  })

  test('a range of the bytes', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { Body: '0123456789' })
    const part = async (Range: string) => {
      const answer = await client().send(new GetObjectCommand({ Bucket, Key: 'k', Range }))
      return [await textOf(answer.Body), answer.ContentRange, answer.$metadata.httpStatusCode]
    }
    expect(await part('bytes=2-4')).toEqual(['234', 'bytes 2-4/10', 206])
    expect(await part('bytes=8-')).toEqual(['89', 'bytes 8-9/10', 206])
    expect(await part('bytes=-3')).toEqual(['789', 'bytes 7-9/10', 206])
    expect(await part('bytes=5-99')).toEqual(['56789', 'bytes 5-9/10', 206])
    expect(await refusal(part('bytes=10-'))).toEqual({ code: 'InvalidRange', status: 416 })
  })

  test('conditional reads', async () => {
    const Bucket = await newBucket()
    const { ETag } = await put(Bucket, 'k', { Body: 'x' })
    const path = `/${Bucket}/k`
    const status = async (headers: Record<string, string>) => (await raw('GET', path, { headers })).status
    const past = new Date(Date.now() - 3_600_000).toUTCString()
    const future = new Date(Date.now() + 3_600_000).toUTCString()
    expect(await status({ 'if-match': ETag ?? '' })).toBe(200)
    expect(await status({ 'if-match': '"other"' })).toBe(412)
    expect(await status({ 'if-none-match': ETag ?? '' })).toBe(304)
    expect(await status({ 'if-none-match': '"other"' })).toBe(200)
    expect(await status({ 'if-modified-since': past })).toBe(200)
    expect(await status({ 'if-modified-since': future })).toBe(304)
    expect(await status({ 'if-unmodified-since': past })).toBe(412)
    expect(await status({ 'if-unmodified-since': future })).toBe(200)
  })

  test('conditional writes: an object that is there is kept under If-None-Match: *', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { Body: 'first', IfNoneMatch: '*' })
    const second = put(Bucket, 'k', { Body: 'second', IfNoneMatch: '*' })
    expect(await refusal(second)).toEqual({ code: 'PreconditionFailed', status: 412 })
    expect(await textOf((await get(Bucket, 'k')).Body)).toBe('first')
  })

  test('conditional writes: under If-Match only the expected object is replaced', async () => {
    const Bucket = await newBucket()
    const { ETag = '' } = await put(Bucket, 'k', { Body: 'first' })
    expect((await refusal(put(Bucket, 'k', { IfMatch: '"other"' }))).status).toBe(412)
    expect((await refusal(put(Bucket, 'none', { IfMatch: ETag }))).status).toBe(404)
    await put(Bucket, 'k', { Body: 'second', IfMatch: ETag })
    expect(await textOf((await get(Bucket, 'k')).Body)).toBe('second')
  })

  embeddedOnly('moto of May 2026 ignores it on DeleteObject')(
    'conditional deletes: under If-Match only the expected object goes',
    async () => {
      const Bucket = await newBucket()
      const { ETag = '' } = await put(Bucket, 'k')
      const remove = (Key: string, IfMatch: string) =>
        client().send(new DeleteObjectCommand({ Bucket, Key, IfMatch }))
      expect((await refusal(remove('k', '"other"'))).status).toBe(412)
      expect((await refusal(remove('none', ETag))).status).toBe(404)
      await remove('k', ETag)
      expect((await refusal(get(Bucket, 'k'))).status).toBe(404)
    },
  )

  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    test(`a ${algorithm} is kept with the object and shown when asked for`, async () => {
      const Bucket = await newBucket()
      const member = `Checksum${algorithm}` as const
      const sent = await put(Bucket, 'k', { Body: 'hello', ChecksumAlgorithm: ChecksumAlgorithm[algorithm] })
      expect(sent[member]).toBeTruthy()
      const shown = await client().send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
      expect(shown[member]).toBe(sent[member])
      expect((await head(Bucket, 'k'))[member]).toBeUndefined()
    })
  }

  embeddedOnly('moto computes no checksum by itself; S3 adds CRC64NVME (aws-facts, Checksum)')(
    'an object sent without a checksum gets a CRC64NVME',
    async () => {
      const Bucket = await newBucket()
      await raw('PUT', `/${Bucket}/k`, { body: '123456789' })
      const shown = await client().send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
      // The check value of CRC-64/NVME over 123456789 is ae8b14860a799888.
      expect(shown.ChecksumCRC64NVME).toBe(Buffer.from('ae8b14860a799888', 'hex').toString('base64'))
      expect(shown.ChecksumType).toBe('FULL_OBJECT')
    },
  )

  embeddedOnly('moto does not compare bodies with their digests')(
    'a body that was damaged is refused',
    async () => {
      const Bucket = await newBucket()
      const code = async (headers: Record<string, string>) =>
        /<Code>(\w+)</.exec((await raw('PUT', `/${Bucket}/k`, { headers, body: 'x' })).text)?.[1]
      expect(await code({ 'x-amz-checksum-crc32': 'AAAAAA==' })).toBe('BadDigest')
      expect(await code({ 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })).toBe('BadDigest')
      expect(await code({ 'content-md5': 'short' })).toBe('InvalidDigest')
      expect(store().get(Bucket, 'k')).toBeUndefined()
    },
  )

  test('a streamed body is taken out of its aws-chunked framing', async () => {
    const Bucket = await newBucket()
    const Body = Readable.from([Buffer.from('hello '), Buffer.from('world')])
    await put(Bucket, 'k', { Body, ContentLength: 11, ContentEncoding: 'br' })
    const answer = await get(Bucket, 'k')
    expect(await textOf(answer.Body)).toBe('hello world')
    expect([answer.ContentEncoding, answer.ContentLength]).toEqual(['br', 11])
  })

  test('signed chunks', async () => {
    const Bucket = await newBucket()
    const body =
      '5;chunk-signature=00\r\nhello\r\n6;chunk-signature=00\r\n world\r\n0;chunk-signature=00\r\nx-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:00\r\n\r\n'
    const headers = {
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '11',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    }
    expect((await raw('PUT', `/${Bucket}/k`, { headers, body })).status).toBe(200)
    const answer = await client().send(new GetObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
    expect(await textOf(answer.Body)).toBe('hello world')
    expect(answer.ContentEncoding).toBeFalsy()
  })

  embeddedOnly('moto drops the trailer')('a trailing checksum is kept, and compared', async () => {
    const Bucket = await newBucket()
    const headers = {
      'content-encoding': 'aws-chunked',
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    }
    const body = (checksum: string) => `b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`
    expect((await raw('PUT', `/${Bucket}/k`, { headers, body: body('DUoRhQ==') })).status).toBe(200)
    const answer = await client().send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
    expect(answer.ChecksumCRC32).toBe('DUoRhQ==')
    const damaged = await raw('PUT', `/${Bucket}/k`, { headers, body: body('AAAAAA==') })
    expect(damaged.text).toContain('<Code>BadDigest</Code>')
    const cut = await raw('PUT', `/${Bucket}/k`, { headers, body: 'b\r\nhello' })
    expect(cut.text).toContain('<Code>IncompleteBody</Code>')
  })

  test('deleting, one and many, also what is not there', async () => {
    const Bucket = await newBucket()
    const keys = ['a', ' b ', '<&>"\'', '__proto__', '0012', '😀&amp;']
    for (const Key of keys) await put(Bucket, Key)
    await client().send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
    await client().send(new DeleteObjectCommand({ Bucket, Key: 'a' }))
    const Objects = [...keys, 'none'].map((Key) => ({ Key }))
    const answer = await client().send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect([answer.Deleted, answer.Errors ?? []]).toEqual([Objects, []])
    expect((await client().send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0)
  })

  embeddedOnly('moto is never quiet')('quietly, only what could not be deleted is told', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'a')
    await put(Bucket, 'b')
    store().deny({ action: 's3:DeleteObject', bucket: Bucket, key: 'b' })
    const Objects = [{ Key: 'a' }, { Key: 'b' }]
    const answer = await client().send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }))
    expect(answer.Deleted ?? []).toEqual([])
    expect(answer.Errors).toEqual([{ Key: 'b', Code: 'AccessDenied', Message: 'Access Denied' }])
  })

  embeddedOnly('moto fails on line ends in a key')('many keys with line ends are deleted', async () => {
    const Bucket = await newBucket()
    const Objects = ['a\r\nb', 'c\rd', 'e\nf', '\u0085\u2028'].map((Key) => ({ Key }))
    for (const { Key } of Objects) await put(Bucket, Key)
    const { Deleted } = await client().send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted).toEqual(Objects)
    expect(store().bucket(Bucket).objects.size).toBe(0)
  })

  test('keys are what was sent: nothing is normalised, merged or decoded twice', async () => {
    const Bucket = await newBucket()
    const keys = [
      'a//b',
      '/lead',
      'trail/',
      'a/./b',
      'a/../b',
      '%41',
      '%2F',
      'a+b',
      'a b',
      'q?versionId=x',
      '#&=;',
      'soap',
    ]
    for (const key of keys) await raw('PUT', `/${Bucket}/${encode(key)}`, { body: key })
    for (const key of keys)
      expect([key, (await raw('GET', `/${Bucket}/${encode(key)}`)).text]).toEqual([key, key])
    const listed = await client().send(new ListObjectsV2Command({ Bucket }))
    expect(listed.Contents?.map((object) => object.Key).sort()).toEqual([...keys].sort())
  })

  embeddedOnly('moto takes longer ones (aws-facts, Keys)')('1,024 bytes of key are the most', async () => {
    const Bucket = await newBucket()
    for (const [fits, tooLong] of [
      ['x'.repeat(1024), 'x'.repeat(1025)],
      ['€'.repeat(341), '€'.repeat(342)],
    ] as const) {
      await put(Bucket, fits)
      expect(await refusal(put(Bucket, tooLong))).toEqual({ code: 'KeyTooLongError', status: 400 })
    }
  })

  embeddedOnly('moto takes any key; S3 refuses those that lead out of the bucket (aws-facts, Keys)')(
    'more parents than segments before them are refused',
    async () => {
      const Bucket = await newBucket()
      for (const key of ['../b', 'a/../../b', 'a/./../../b']) {
        expect((await raw('PUT', `/${Bucket}/${key}`)).status).toBe(400)
      }
      expect((await raw('PUT', `/${Bucket}/a/b/../../c`)).status).toBe(200)
    },
  )

  embeddedOnly('moto takes more (edge-cases, user metadata)')(
    'user metadata above 2 KB is refused',
    async () => {
      const Bucket = await newBucket()
      await put(Bucket, 'k', { Metadata: { a: 'x'.repeat(2000) } })
      expect(await refusal(put(Bucket, 'k', { Metadata: { a: 'x'.repeat(2049) } }))).toEqual({
        code: 'MetadataTooLarge',
        status: 400,
      })
    },
  )

  embeddedOnly('moto returns the raw bytes')('metadata beyond ASCII comes back mail-safe', async () => {
    const Bucket = await newBucket()
    const headers = {
      'x-amz-meta-name': Buffer.from('Zürich').toString('latin1'),
      'x-amz-meta-word': '=?UTF-8?B?w7w=?=',
    }
    await raw('PUT', `/${Bucket}/k`, { headers })
    const { Metadata } = await head(Bucket, 'k')
    expect(Metadata).toEqual({ name: '=?UTF-8?B?WsODwrxyaWNo?=', word: '=?UTF-8?B?w7w=?=' })
  })

  test('a storage class other than STANDARD is shown, an unknown one refused', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { StorageClass: 'STANDARD_IA' })
    expect((await head(Bucket, 'k')).StorageClass).toBe('STANDARD_IA')
    await put(Bucket, 'k')
    expect((await head(Bucket, 'k')).StorageClass).toBeUndefined()
    expect(await refusal(put(Bucket, 'k', { StorageClass: 'COLD' as 'STANDARD' }))).toEqual({
      code: 'InvalidStorageClass',
      status: 400,
    })
  })

  test('encryption under a KMS key is kept', async () => {
    const Bucket = await newBucket()
    const SSEKMSKeyId = 'arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555'
    await put(Bucket, 'k', {
      Body: 'x',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId,
      BucketKeyEnabled: true,
    })
    expect(await head(Bucket, 'k')).toMatchObject({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId,
      BucketKeyEnabled: true,
    })
  })

  embeddedOnly('moto knows no default encryption and makes every ETag an MD5 (aws-facts, ETag)')(
    'AES256 is the default; under KMS the ETag is no MD5',
    async () => {
      const Bucket = await newBucket()
      expect((await put(Bucket, 'k', { Body: 'x' })).ServerSideEncryption).toBe('AES256')
      expect((await put(Bucket, 'k', { Body: 'x', ServerSideEncryption: 'aws:kms' })).ETag).not.toBe(
        `"${md5('x')}"`,
      )
      expect((await head(Bucket, 'k')).SSEKMSKeyId).toBe('arn:aws:kms:us-east-1:000000000000:alias/aws/s3')
    },
  )

  embeddedOnly('moto ignores the customer’s key')(
    'an object under SSE-C needs its key to be read',
    async () => {
      const Bucket = await newBucket()
      const SSECustomerKey = 'k'.repeat(32)
      await put(Bucket, 'k', { Body: 'x', SSECustomerAlgorithm: 'AES256', SSECustomerKey })
      expect((await refusal(get(Bucket, 'k'))).code).toBe('InvalidRequest')
      const read = new GetObjectCommand({ Bucket, Key: 'k', SSECustomerAlgorithm: 'AES256', SSECustomerKey })
      expect(await textOf((await client().send(read)).Body)).toBe('x')
    },
  )

  test('ACLs: with the owner enforced, only what gives the owner full control', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { ACL: 'bucket-owner-full-control' })
  })

  embeddedOnly('moto takes every ACL; S3 enforces the bucket owner by default (aws-facts, ACL)')(
    'other ACLs are refused, unless the bucket allows them',
    async () => {
      const Bucket = await newBucket()
      expect(await refusal(put(Bucket, 'k', { ACL: 'public-read' }))).toEqual({
        code: 'AccessControlListNotSupported',
        status: 400,
      })
      expect((await refusal(put(Bucket, 'k', { GrantRead: 'id=x' }))).code).toBe(
        'AccessControlListNotSupported',
      )
      store().createBucket('acl-bucket', { ownership: 'ObjectWriter' })
      await put('acl-bucket', 'k', { ACL: 'public-read' })
      expect(store().get('acl-bucket', 'k')?.acl).toBe('public-read')
    },
  )

  test('an archived object is not read before it is restored', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { Body: 'x', StorageClass: 'GLACIER' })
    expect(await refusal(get(Bucket, 'k'))).toEqual({ code: 'InvalidObjectState', status: 403 })
    expect((await head(Bucket, 'k')).StorageClass).toBe('GLACIER')
  })

  embeddedOnly('moto restores by a request and at once')('restoring, and restored', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { Body: 'x', StorageClass: 'DEEP_ARCHIVE' })
    store().setRestore(Bucket, 'k', { ongoing: true })
    expect((await head(Bucket, 'k')).Restore).toBe('ongoing-request="true"')
    expect((await refusal(get(Bucket, 'k'))).code).toBe('InvalidObjectState')
    store().setRestore(Bucket, 'k', { ongoing: false, expires: new Date(0) })
    expect((await head(Bucket, 'k')).Restore).toBe(
      'ongoing-request="false", expiry-date="Thu, 01 Jan 1970 00:00:00 GMT"',
    )
    expect(await textOf((await get(Bucket, 'k')).Body)).toBe('x')
  })

  embeddedOnly('moto has no rights to take away here')('a right that is denied is named', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { Body: 'x' })
    const allow = store().deny({ action: 's3:GetObject', bucket: Bucket, key: 'k' })
    const error = await rejection(get(Bucket, 'k'))
    expect([error.name, error.message]).toEqual([
      'AccessDenied',
      expect.stringContaining('s3:GetObject on resource'),
    ])
    allow()
    expect(await textOf((await get(Bucket, 'k')).Body)).toBe('x')
    store().deny({ action: 's3:ListBucket', bucket: Bucket })
    expect((await refusal(get(Bucket, 'none'))).code).toBe('AccessDenied')
  })
})
