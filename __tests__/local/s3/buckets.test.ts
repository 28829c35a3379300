import {
  BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3'
import { expect } from '@jest/globals'
import { onEveryS3, refusal } from './harness.ts'

const NO_REDIRECT =
  'moto answers for buckets of any region; S3 redirects (HeadBucket in the S3 model; aws-facts, Region discovery)'
const EUROPE = BucketLocationConstraint.eu_west_1

onEveryS3('buckets', ({ test, embeddedOnly, client, newBucket, raw, store }) => {
  const name = (suffix: string) => `test-${process.pid}-${suffix}`

  test('a bucket is made, found, located, listed and deleted', async () => {
    const Bucket = await newBucket()
    expect((await client().send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('us-east-1')
    expect((await client().send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined()
    const names = async () =>
      (await client().send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name)
    expect(await names()).toContain(Bucket)
    await client().send(new DeleteBucketCommand({ Bucket }))
    expect(await names()).not.toContain(Bucket)
    expect(await refusal(client().send(new HeadBucketCommand({ Bucket })))).toEqual({
      code: 'NotFound',
      status: 404,
    })
  })

  test('public access block and lifecycle are kept, and missing before they are put', async () => {
    const Bucket = await newBucket()
    const lifecycle = () => client().send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    const block = () => client().send(new GetPublicAccessBlockCommand({ Bucket }))
    expect(await refusal(lifecycle())).toEqual({ code: 'NoSuchLifecycleConfiguration', status: 404 })
    expect(await refusal(block())).toEqual({ code: 'NoSuchPublicAccessBlockConfiguration', status: 404 })
    await client().send(
      new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true } }),
    )
    await client().send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: {
          Rules: [{ ID: 'old', Status: 'Enabled', Filter: { Prefix: 'a/' }, Expiration: { Days: 3 } }],
        },
      }),
    )
    expect((await block()).PublicAccessBlockConfiguration?.BlockPublicAcls).toBe(true)
    expect((await lifecycle()).Rules?.[0]).toMatchObject({ ID: 'old', Expiration: { Days: 3 } })
  })

  test('a bucket that holds an object is not deleted', async () => {
    const Bucket = await newBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k' }))
    expect(await refusal(client().send(new DeleteBucketCommand({ Bucket })))).toEqual({
      code: 'BucketNotEmpty',
      status: 409,
    })
  })

  test('what is asked of a bucket that is not there gets NoSuchBucket, with the usual body', async () => {
    expect(await refusal(client().send(new ListObjectsV2Command({ Bucket: name('none') })))).toEqual({
      code: 'NoSuchBucket',
      status: 404,
    })
    const { status, text } = await raw('GET', `/${name('none')}/key`)
    expect(status).toBe(404)
    expect(text).toMatch(/<Error>.*<Code>NoSuchBucket<\/Code>.*<Message>.+<\/Message>.*<RequestId>/s)
  })

  embeddedOnly('moto sends x-amzn-requestid')('every answer has a request id', async () => {
    const { headers, text } = await raw('GET', `/${name('none')}/key`)
    expect(headers['x-amz-request-id']).toMatch(/^[0-9A-F]{16}$/)
    expect(text).toContain(`<RequestId>${headers['x-amz-request-id']}</RequestId>`)
  })

  test('a bucket lies where its location constraint says', async () => {
    const Bucket = name('europe')
    await client('eu-west-1').send(new CreateBucketCommand({ Bucket }))
    const location = await client('eu-west-1').send(new GetBucketLocationCommand({ Bucket }))
    expect(location.LocationConstraint).toBe('eu-west-1')
    expect((await client('eu-west-1').send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('eu-west-1')
    expect(await refusal(client('eu-west-1').send(new CreateBucketCommand({ Bucket })))).toEqual({
      code: 'BucketAlreadyOwnedByYou',
      status: 409,
    })
  })

  test('another constraint than the endpoint of a region allows is refused', async () => {
    const CreateBucketConfiguration = { LocationConstraint: EUROPE }
    const call = client('eu-central-1').send(
      new CreateBucketCommand({ Bucket: name('wrong'), CreateBucketConfiguration }),
    )
    expect(await refusal(call)).toEqual({ code: 'IllegalLocationConstraintException', status: 400 })
  })

  test('making one again in us-east-1 succeeds and keeps the objects', async () => {
    const Bucket = await newBucket()
    await client().send(new PutObjectCommand({ Bucket, Key: 'k' }))
    await client().send(new CreateBucketCommand({ Bucket }))
    expect((await client().send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(1)
  })

  for (const Bucket of ['ab', 'a'.repeat(64)]) {
    test(`a bucket name of ${Bucket.length} characters is refused`, async () => {
      expect((await raw('PUT', `/${Bucket}`)).text).toContain('<Code>InvalidBucketName</Code>')
    })
  }

  for (const Bucket of ['Upper-case', 'under_score', '-hyphen', '10.0.0.1', 'two..dots']) {
    embeddedOnly('moto looks at the length only')(`the bucket name ${Bucket} is refused`, async () => {
      expect((await raw('PUT', `/${Bucket}`)).text).toContain('<Code>InvalidBucketName</Code>')
    })
  }

  embeddedOnly(NO_REDIRECT)('a request signed for another region is sent on to the right one', async () => {
    const Bucket = name('far')
    await client('eu-west-1').send(new CreateBucketCommand({ Bucket }))
    const list = await raw('GET', `/${Bucket}?list-type=2`)
    expect(list.status).toBe(301)
    expect(list.headers['x-amz-bucket-region']).toBe('eu-west-1')
    expect(list.text).toContain('<Code>PermanentRedirect</Code>')
    const head = await raw('HEAD', `/${Bucket}`)
    expect([head.status, head.headers['x-amz-bucket-region'], head.text]).toEqual([301, 'eu-west-1', ''])
    expect((await raw('HEAD', `/${Bucket}`, { region: 'eu-west-1' })).status).toBe(200)
  })

  embeddedOnly('moto ignores the host of an address that is not its own')(
    'the endpoint of a region refuses a signature for another, and names the right one',
    async () => {
      const Bucket = name('host')
      await client('eu-west-1').send(new CreateBucketCommand({ Bucket }))
      const answer = await raw('GET', '/?list-type=2', {
        headers: { host: `${Bucket}.s3.eu-west-1.localhost` },
      })
      expect(answer.status).toBe(400)
      expect(answer.text).toContain('<Code>AuthorizationHeaderMalformed</Code>')
      expect(answer.text).toContain('<Region>eu-west-1</Region>')
    },
  )

  test('a bucket in the host name is the same bucket', async () => {
    const Bucket = await newBucket()
    for (const [key, host] of [
      ['one', `${Bucket}.s3.localhost:9000`],
      ['two', `${Bucket}.s3.us-east-1.localhost`],
      ['three', `${Bucket}.localhost:9000`],
    ] as const) {
      expect((await raw('PUT', `/${key}`, { headers: { host }, body: key })).status).toBe(200)
      expect((await raw('GET', `/${Bucket}/${key}`)).text).toBe(key)
    }
  })

  embeddedOnly('moto knows no expected owner')(
    'a bucket of another owner than expected is forbidden',
    async () => {
      const Bucket = await newBucket()
      const list = (ExpectedBucketOwner: string) =>
        client().send(new ListObjectsV2Command({ Bucket, ExpectedBucketOwner }))
      expect((await list('000000000000')).KeyCount).toBe(0)
      expect(await refusal(list('999999999999'))).toEqual({ code: 'AccessDenied', status: 403 })
    },
  )

  embeddedOnly('moto has no rights to take away here')(
    'HeadBucket tells the region even when forbidden',
    async () => {
      const Bucket = await newBucket()
      const allow = store().deny({ action: 's3:ListBucket', bucket: Bucket })
      const head = await raw('HEAD', `/${Bucket}`)
      expect([head.status, head.headers['x-amz-bucket-region']]).toEqual([403, 'us-east-1'])
      allow()
      expect((await raw('HEAD', `/${Bucket}`)).status).toBe(200)
    },
  )

  embeddedOnly('moto has no requester-pays rule')(
    'requester pays: only who agrees to pay is served',
    async () => {
      const Bucket = name('payer')
      store().createBucket(Bucket, { requesterPays: true })
      expect(await refusal(client().send(new ListObjectsV2Command({ Bucket })))).toEqual({
        code: 'AccessDenied',
        status: 403,
      })
      const paid = await client().send(new ListObjectsV2Command({ Bucket, RequestPayer: 'requester' }))
      expect(paid.KeyCount).toBe(0)
    },
  )

  embeddedOnly('moto has these')('what is not here says so', async () => {
    const Bucket = await newBucket()
    const code = async (method: string, path: string) => {
      const { status, text } = await raw(method, `/${Bucket}${path}`)
      return [status, /<Code>(\w+)</.exec(text)?.[1]]
    }
    expect(await code('PATCH', '/key')).toEqual([405, 'MethodNotAllowed'])
    expect(await code('GET', '/key?acl')).toEqual([501, 'NotImplemented'])
    expect(await code('GET', '')).toEqual([501, 'NotImplemented'])
  })
})
