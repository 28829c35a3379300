import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { expect } from '@jest/globals'
import { Content } from '../../../local/s3/index.ts'
import { encode, onEveryS3, refusal, rejection, textOf } from './harness.ts'

const GIB = 1024 ** 3
const NO_RIGHTS = 'moto has no rights to take away here'

onEveryS3('CopyObject', ({ test, embeddedOnly, client, newBucket, raw, store }) => {
  const put = (Bucket: string, Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    client().send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...more }))
  /** Copies the key `from` of a bucket to `to`. */
  const copy = (Bucket: string, from: string, to: string, more: Partial<CopyObjectCommandInput> = {}) =>
    client().send(
      new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${encode(from)}`, ...more }),
    )
  const head = (Bucket: string, Key: string) => client().send(new HeadObjectCommand({ Bucket, Key }))
  const read = async (Bucket: string, Key: string) =>
    textOf((await client().send(new GetObjectCommand({ Bucket, Key }))).Body)
  const tagsOf = async (Bucket: string, Key: string) =>
    (await client().send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet
  const given = {
    ContentType: 'text/x-one',
    ContentEncoding: 'br',
    ContentLanguage: 'en',
    ContentDisposition: 'inline',
    CacheControl: 'no-store',
    Metadata: { a: 'b' },
  }

  test('bytes, metadata and tags come along; the storage class does not', async () => {
    const [source, Bucket] = [await newBucket(), await newBucket()]
    await put(source, 'k', { ...given, Tagging: 't=1', StorageClass: 'STANDARD_IA' })
    const { CopyObjectResult } = await client().send(
      new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${source}/k` }),
    )
    expect(CopyObjectResult?.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"')
    expect(CopyObjectResult?.LastModified?.getTime()).toBeGreaterThan(Date.now() - 60_000)
    expect(await read(Bucket, 'copy')).toBe('hello')
    expect(await head(Bucket, 'copy')).toMatchObject(given)
    expect(await tagsOf(Bucket, 'copy')).toEqual([{ Key: 't', Value: '1' }])
    expect((await head(Bucket, 'copy')).StorageClass).toBeUndefined()
  })

  test('metadata and tags are replaced when directed', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { ...given, Tagging: 't=1' })
    await copy(Bucket, 'k', 'copy', {
      MetadataDirective: 'REPLACE',
      TaggingDirective: 'REPLACE',
      ContentType: 'text/x-two',
      Metadata: { c: 'd' },
      Tagging: 'u=2',
      StorageClass: 'ONEZONE_IA',
    })
    const after = await head(Bucket, 'copy')
    expect(after).toMatchObject({
      ContentType: 'text/x-two',
      Metadata: { c: 'd' },
      StorageClass: 'ONEZONE_IA',
    })
    expect([after.ContentEncoding, after.CacheControl]).toEqual([undefined, undefined])
    expect(await tagsOf(Bucket, 'copy')).toEqual([{ Key: 'u', Value: '2' }])
  })

  test('metadata that is sent without the directive to replace is ignored', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', given)
    await copy(Bucket, 'k', 'copy', { Metadata: { x: 'y' }, ContentType: 'text/x-three' })
    expect(await head(Bucket, 'copy')).toMatchObject(given)
  })

  const keys = [
    'a b',
    'a+b',
    'a%2Bb',
    '%41',
    'q?versionId=x',
    '#&=;',
    'a//b/',
    '/lead',
    'ü/日/😀',
    '"\'<>',
    'soap',
  ]
  test('a source is named percent-encoded, whatever its characters', async () => {
    const Bucket = await newBucket()
    for (const key of keys) {
      await put(Bucket, key, { Body: `of ${key}` })
      await copy(Bucket, key, 'copy')
      expect(await read(Bucket, 'copy')).toBe(`of ${key}`)
    }
  })

  embeddedOnly('moto keeps it; S3 decodes it (edge-cases, `+` in CopySource)')(
    'a plus in a source stands for a space',
    async () => {
      const Bucket = await newBucket()
      await put(Bucket, 'a b', { Body: 'space' })
      await put(Bucket, 'a+b', { Body: 'plus' })
      await copy(Bucket, '', 'copy', { CopySource: `/${Bucket}/a+b` })
      expect(await read(Bucket, 'copy')).toBe('space')
    },
  )

  test('what is not there', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k')
    expect(await refusal(copy(Bucket, 'none', 'copy'))).toEqual({ code: 'NoSuchKey', status: 404 })
    const elsewhere = copy(Bucket, '', 'copy', { CopySource: 'no-such-bucket-1/k' })
    expect(await refusal(elsewhere)).toEqual({ code: 'NoSuchBucket', status: 404 })
    const into = new CopyObjectCommand({ Bucket: 'no-such-bucket-2', Key: 'k', CopySource: `${Bucket}/k` })
    expect(await refusal(client().send(into))).toEqual({ code: 'NoSuchBucket', status: 404 })
  })

  embeddedOnly('moto fails on it')('a source that names no key is refused', async () => {
    const Bucket = await newBucket()
    for (const CopySource of ['no-key', `${Bucket}/`, `${Bucket}/%zz`]) {
      expect(await refusal(copy(Bucket, '', 'copy', { CopySource }))).toEqual({
        code: 'InvalidArgument',
        status: 400,
      })
    }
  })

  test('the null version is the object', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k')
    await copy(Bucket, '', 'copy', { CopySource: `${Bucket}/k?versionId=null` })
    expect(await read(Bucket, 'copy')).toBe('hello')
    const other = copy(Bucket, '', 'copy', { CopySource: `${Bucket}/k?versionId=abc` })
    expect(await refusal(other)).toEqual({ code: 'NoSuchVersion', status: 404 })
  })

  test('no bytes, and a folder marker', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'folder/', { Body: '' })
    await copy(Bucket, 'folder/', 'other/')
    expect((await head(Bucket, 'other/')).ContentLength).toBe(0)
  })

  test('onto itself it is illegal unless something changes', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', given)
    expect(await refusal(copy(Bucket, 'k', 'k'))).toEqual({ code: 'InvalidRequest', status: 400 })
    await copy(Bucket, 'k', 'k', { StorageClass: 'STANDARD_IA' })
    await copy(Bucket, 'k', 'k', { MetadataDirective: 'REPLACE', Metadata: { z: '1' } })
    expect((await head(Bucket, 'k')).Metadata).toEqual({ z: '1' })
  })

  embeddedOnly('moto ignores them (aws-facts, Source guard)')('conditions on the source', async () => {
    const Bucket = await newBucket()
    const { ETag = '' } = await put(Bucket, 'k')
    const past = new Date(Date.now() - 3_600_000)
    const future = new Date(Date.now() + 3_600_000)
    await copy(Bucket, 'k', 'copy', { CopySourceIfNoneMatch: '"other"' })
    await copy(Bucket, 'k', 'copy', { CopySourceIfModifiedSince: past })
    await copy(Bucket, 'k', 'copy', { CopySourceIfMatch: ETag, CopySourceIfUnmodifiedSince: past })
    for (const condition of [
      { CopySourceIfMatch: '"other"' },
      { CopySourceIfNoneMatch: ETag },
      { CopySourceIfModifiedSince: future },
      { CopySourceIfUnmodifiedSince: past },
    ]) {
      expect(await refusal(copy(Bucket, 'k', 'copy', condition))).toEqual({
        code: 'PreconditionFailed',
        status: 412,
      })
    }
  })

  embeddedOnly('moto of May 2026 ignores them on CopyObject (aws-facts, Conditional write)')(
    'conditions on the destination',
    async () => {
      const Bucket = await newBucket()
      const { ETag = '' } = await put(Bucket, 'k')
      await copy(Bucket, 'k', 'copy', { IfNoneMatch: '*' })
      expect(await refusal(copy(Bucket, 'k', 'copy', { IfNoneMatch: '*' }))).toEqual({
        code: 'PreconditionFailed',
        status: 412,
      })
      await copy(Bucket, 'k', 'copy', { IfMatch: ETag })
      expect((await refusal(copy(Bucket, 'k', 'copy', { IfMatch: '"other"' }))).status).toBe(412)
      expect((await refusal(copy(Bucket, 'k', 'none', { IfMatch: ETag }))).status).toBe(404)
      expect((await refusal(copy(Bucket, 'k', 'copy', { IfNoneMatch: ETag }))).code).toBe('NotImplemented')
    },
  )

  test('an archived source is refused until it is restored', async () => {
    const Bucket = await newBucket()
    for (const StorageClass of ['GLACIER', 'DEEP_ARCHIVE'] as const) {
      await put(Bucket, 'k', { StorageClass })
      expect((await refusal(copy(Bucket, 'k', 'copy'))).status).toBe(403)
    }
    await put(Bucket, 'k', { StorageClass: 'GLACIER_IR' })
    await copy(Bucket, 'k', 'copy', { StorageClass: 'GLACIER' })
    expect((await head(Bucket, 'copy')).StorageClass).toBe('GLACIER')
  })

  embeddedOnly('moto says ObjectNotInActiveTierError, and restores at once (aws-facts, Archive)')(
    'an archived source is in an invalid state; restored, it is copied',
    async () => {
      const Bucket = await newBucket()
      await put(Bucket, 'k', { StorageClass: 'GLACIER' })
      expect(await refusal(copy(Bucket, 'k', 'copy'))).toEqual({ code: 'InvalidObjectState', status: 403 })
      store().setRestore(Bucket, 'k', { ongoing: false, expires: new Date(Date.now() + 1e6) })
      await copy(Bucket, 'k', 'copy')
      expect(await head(Bucket, 'copy')).not.toHaveProperty('Restore')
      store().put(Bucket, 'tiered', 'x', {
        storageClass: 'INTELLIGENT_TIERING',
        archiveStatus: 'ARCHIVE_ACCESS',
      })
      expect((await refusal(copy(Bucket, 'tiered', 'copy'))).code).toBe('InvalidObjectState')
    },
  )

  embeddedOnly('moto holds no sparse objects')('5 GiB are the most', async () => {
    const Bucket = await newBucket()
    store().put(Bucket, 'fits', Content.sparse(5 * GIB))
    store().put(Bucket, 'tooLarge', Content.sparse(5 * GIB + 1))
    const { CopyObjectResult } = await copy(Bucket, 'fits', 'copy')
    expect(CopyObjectResult?.ETag).toBe(`"${store().get(Bucket, 'fits')?.etag}"`)
    expect((await head(Bucket, 'copy')).ContentLength).toBe(5 * GIB)
    const error = await rejection(copy(Bucket, 'tooLarge', 'copy2'))
    expect([error.name, error.message]).toEqual([
      'InvalidRequest',
      'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
    ])
  })

  embeddedOnly('moto takes longer ones (aws-facts, Keys)')(
    'a key of more than 1,024 bytes is refused',
    async () => {
      const Bucket = await newBucket()
      await put(Bucket, 'k')
      expect(await refusal(copy(Bucket, 'k', '€'.repeat(342)))).toEqual({
        code: 'KeyTooLongError',
        status: 400,
      })
    },
  )

  test('from a bucket of another region', async () => {
    const [source, Bucket] = [await newBucket(), `far-${process.pid}-copy`]
    await put(source, 'k')
    await raw('PUT', `/${Bucket}`, {
      region: 'eu-west-1',
      body: '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>',
    })
    const to = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${source}/k` })
    expect((await client('eu-west-1').send(to)).CopyObjectResult?.ETag).toBeTruthy()
  })

  embeddedOnly('moto knows no expected owner')('both owners can be expected', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k')
    const owner = '000000000000'
    await copy(Bucket, 'k', 'copy', { ExpectedBucketOwner: owner, ExpectedSourceBucketOwner: owner })
    for (const wrong of [
      { ExpectedBucketOwner: '9'.repeat(12) },
      { ExpectedSourceBucketOwner: '9'.repeat(12) },
    ]) {
      expect(await refusal(copy(Bucket, 'k', 'copy', wrong))).toEqual({ code: 'AccessDenied', status: 403 })
    }
  })

  embeddedOnly('moto keeps a redirect and takes any ACL (aws-facts, Metadata and ACL)')(
    'redirect, ACL and encryption are the destination’s own',
    async () => {
      const Bucket = await newBucket()
      await put(Bucket, 'k', { WebsiteRedirectLocation: '/x', ServerSideEncryption: 'aws:kms' })
      await copy(Bucket, 'k', 'copy')
      const after = await head(Bucket, 'copy')
      expect([after.WebsiteRedirectLocation, after.ServerSideEncryption]).toEqual([undefined, 'AES256'])
      expect((await refusal(copy(Bucket, 'k', 'copy', { ACL: 'public-read' }))).code).toBe(
        'AccessControlListNotSupported',
      )
      await copy(Bucket, 'k', 'copy', { ACL: 'bucket-owner-full-control' })
    },
  )

  embeddedOnly('moto does not recompute a checksum without being asked (aws-facts, Checksum)')(
    'the checksum algorithm stays; another can be asked for',
    async () => {
      const Bucket = await newBucket()
      const { ChecksumSHA256 } = await put(Bucket, 'k', { ChecksumAlgorithm: 'SHA256' })
      expect((await copy(Bucket, 'k', 'copy')).CopyObjectResult?.ChecksumSHA256).toBe(ChecksumSHA256)
      const other = (await copy(Bucket, 'k', 'copy', { ChecksumAlgorithm: 'CRC32C' })).CopyObjectResult
      expect([other?.ChecksumCRC32C, other?.ChecksumSHA256]).toEqual(['mnG7TA==', undefined])
    },
  )

  embeddedOnly(NO_RIGHTS)('every right that a copy needs can be missing', async () => {
    const Bucket = await newBucket()
    await put(Bucket, 'k', { Tagging: 't=1', ServerSideEncryption: 'aws:kms' })
    await put(Bucket, 'plain')
    const denied = { code: 'AccessDenied', status: 403 }
    for (const [action, key] of [
      ['s3:GetObject', 'k'],
      ['s3:GetObjectTagging', 'k'],
      ['kms:Decrypt', 'k'],
      ['s3:PutObject', 'copy'],
      ['s3:PutObjectTagging', 'copy'],
    ] as const) {
      const allow = store().deny({ action, bucket: Bucket, key })
      expect([action, await refusal(copy(Bucket, 'k', 'copy'))]).toEqual([action, denied])
      // Without tags no right to tags is needed.
      if (action !== 's3:PutObject') await copy(Bucket, 'plain', 'copy')
      allow()
    }
    store().deny({ action: 's3:GetObjectTagging' })
    await copy(Bucket, 'k', 'copy', { TaggingDirective: 'REPLACE' })
    expect(store().get(Bucket, 'copy')?.tags.size).toBe(0)
  })

  embeddedOnly('moto of May 2026 has no annotations (aws-facts, Annotations)')(
    'annotations, unless excluded',
    async () => {
      const Bucket = await newBucket()
      store().put(Bucket, 'k', 'x', { annotations: new Map([['note', 'text']]) })
      await copy(Bucket, 'k', 'copy')
      expect(store().get(Bucket, 'copy')?.annotations.get('note')).toBe('text')
      await copy(Bucket, 'k', 'copy', { AnnotationDirective: 'EXCLUDE' })
      expect(store().get(Bucket, 'copy')?.annotations.size).toBe(0)
      store().deny({ action: 's3:GetObjectAnnotation', bucket: Bucket })
      expect((await refusal(copy(Bucket, 'k', 'copy'))).code).toBe('AccessDenied')
    },
  )

  embeddedOnly('moto has no requester-pays rule')('a source whose requester pays', async () => {
    const Bucket = await newBucket()
    store().createBucket(`${Bucket}-payer`, { requesterPays: true })
    store().put(`${Bucket}-payer`, 'k', 'x')
    const CopySource = `${Bucket}-payer/k`
    expect((await refusal(copy(Bucket, '', 'copy', { CopySource }))).code).toBe('AccessDenied')
    await copy(Bucket, '', 'copy', { CopySource, RequestPayer: 'requester' })
  })
})
