import { createHash } from 'node:crypto'
import {
  DeleteObjectTaggingCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type Tag,
} from '@aws-sdk/client-s3'
import { expect } from '@jest/globals'
import { onEveryS3, refusal } from './harness.ts'

onEveryS3('tags', ({ test, embeddedOnly, client, newBucket, raw, store }) => {
  const tagsOf = async (Bucket: string) =>
    (await client().send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))).TagSet
  const tag = (Bucket: string, TagSet: Tag[]) =>
    client().send(new PutObjectTaggingCommand({ Bucket, Key: 'k', Tagging: { TagSet } }))
  const numbered = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `k${i}`, Value: '' }))

  test('tags sent with the object, replaced and deleted', async () => {
    const Bucket = await newBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k', Tagging: 'a=1&b+c=%2B%3D%40' }))
    expect(await tagsOf(Bucket)).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b c', Value: '+=@' },
    ])
    await tag(Bucket, [{ Key: 'x y', Value: '0012' }])
    expect(await tagsOf(Bucket)).toEqual([{ Key: 'x y', Value: '0012' }])
    expect((await client().send(new HeadObjectCommand({ Bucket, Key: 'k' }))).TagCount).toBe(1)
    await client().send(new DeleteObjectTaggingCommand({ Bucket, Key: 'k' }))
    expect(await tagsOf(Bucket)).toEqual([])
  })

  test('ten are the most', async () => {
    const Bucket = await newBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k' }))
    await tag(Bucket, numbered(10))
    expect((await refusal(tag(Bucket, numbered(11)))).status).toBe(400)
    expect(await tagsOf(Bucket)).toHaveLength(10)
  })

  test('letters of any script, but no markup', async () => {
    const Bucket = await newBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k', Tagging: '%C3%BC=%E6%97%A5' }))
    expect(await tagsOf(Bucket)).toEqual([{ Key: 'ü', Value: '日' }])
    expect((await refusal(tag(Bucket, [{ Key: 'a', Value: '<' }]))).code).toBe('InvalidTag')
  })

  embeddedOnly('moto drops a repeated name')('a name that comes twice is refused', async () => {
    const Bucket = await newBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k' }))
    expect((await refusal(tag(Bucket, [...numbered(1), ...numbered(1)]))).code).toBe('InvalidTag')
    const put = client().send(new PutObjectCommand({ Bucket, Key: 'k', Tagging: 'a=1&a=2' }))
    expect(await refusal(put)).toEqual({ code: 'InvalidArgument', status: 400 })
  })

  embeddedOnly('moto asks for no digest')('a request without a digest of its body is refused', async () => {
    const Bucket = await newBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k' }))
    const body = '<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>'
    const put = async (headers: Record<string, string>) => {
      const { status, text } = await raw('PUT', `/${Bucket}/k?tagging`, { headers, body })
      return [status, /<Code>(\w+)/.exec(text)?.[1]]
    }
    expect(await put({})).toEqual([400, 'InvalidRequest'])
    expect(await put({ 'content-md5': createHash('md5').update('other').digest('base64') })).toEqual([
      400,
      'BadDigest',
    ])
    expect(await put({ 'content-md5': createHash('md5').update(body).digest('base64') })).toEqual([
      200,
      undefined,
    ])
  })

  embeddedOnly('moto has no rights to take away here')(
    'reading and writing tags are rights of their own',
    async () => {
      const Bucket = await newBucket()
      store().deny({ action: 's3:GetObjectTagging', bucket: Bucket })
      store().deny({ action: 's3:PutObjectTagging', bucket: Bucket })
      await client().send(new PutObjectCommand({ Bucket, Key: 'k' }))
      const tagged = () => client().send(new PutObjectCommand({ Bucket, Key: 'k', Tagging: 'a=1' }))
      for (const call of [() => tagsOf(Bucket), () => tag(Bucket, []), tagged]) {
        expect(await refusal(call())).toEqual({ code: 'AccessDenied', status: 403 })
      }
    },
  )
})
