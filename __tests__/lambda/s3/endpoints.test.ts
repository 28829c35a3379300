import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createS3Client, isTransient, type S3 } from '../../../lambda/s3/index.ts'
import { compareKeys } from '../../../protocol/key.ts'
import { newClient } from '../../local/s3/harness.ts'
import { type Endpoint, endpointKinds } from '../../support/endpoints.ts'
import { CREDENTIALS, HOSTILE_KEYS, REGION, rejection } from './support.ts'

const FROM = 'client-test-from'
const TO = 'client-test-to'

for (const kind of endpointKinds()) {
  const title = `on ${kind.name}`
  if (kind.missing !== undefined) {
    test.skip(`SKIPPED ${title}: ${kind.missing}`, () => {})
    continue
  }

  // S3 refuses keys that climb out of the bucket; moto's web server refuses line ends in a path.
  const refused = kind.name === 'moto' ? /^\.\.\/|[\r\n]/ : /^\.\.\//
  const KEYS = HOSTILE_KEYS.filter((key) => !refused.test(key))

  describe(title, () => {
    let endpoint: Endpoint
    let sdk: S3Client
    let s3: S3

    beforeAll(async () => {
      endpoint = await kind.start()
      sdk = newClient(endpoint.url)
      s3 = createS3Client({ region: REGION, endpoint: endpoint.url, credentials: () => CREDENTIALS })
      for (const Bucket of [FROM, TO]) await sdk.send(new CreateBucketCommand({ Bucket }))
      for (const Key of KEYS)
        await sdk.send(new PutObjectCommand({ Bucket: FROM, Key, Body: `body of ${Key}` }))
    }, 300_000)

    afterAll(async () => {
      sdk.destroy()
      await s3.close()
      await endpoint.close()
    })

    async function listAll(bucket: string, maxKeys?: number): Promise<string[]> {
      const keys: string[] = []
      let token: string | undefined
      do {
        const page = await s3.listObjectsV2({ bucket, maxKeys, continuationToken: token })
        keys.push(...page.objects.map(({ key }) => key))
        token = page.nextContinuationToken
      } while (token !== undefined)
      return keys
    }

    test('hostile keys are listed as they were put, in order, whatever the page', async () => {
      const expected = [...KEYS].sort(compareKeys)
      expect(await listAll(FROM)).toEqual(expected)
      expect(await listAll(FROM, 4)).toEqual(expected)
    })

    test('hostile keys are copied, each to itself', async () => {
      for (const key of KEYS) await s3.copyObject({ bucket: TO, key, sourceBucket: FROM, sourceKey: key })
      const sizes = async (bucket: string) =>
        new Map(
          (await s3.listObjectsV2({ bucket })).objects.map(({ key, size, etag }) => [key, [size, etag]]),
        )
      expect(await sizes(TO)).toEqual(await sizes(FROM))
    })

    const climbs = kind.name === 'embedded' ? test : test.skip
    climbs('a key that S3 refuses is a definite error (embedded only: moto takes it)', async () => {
      const error = await rejection(
        s3.copyObject({ bucket: TO, key: '../up', sourceBucket: FROM, sourceKey: 'plain' }),
      )
      expect(error).toMatchObject({ name: 'S3Error', code: 'InvalidURI', status: 400 })
      expect(isTransient(error)).toBe(false)
    })

    test('a listing begins behind a key, and folds folders', async () => {
      const after = await s3.listObjectsV2({ bucket: FROM, startAfter: 'a b' })
      expect(after.objects[0]?.key).toBe('a+b')
      const folded = await s3.listObjectsV2({ bucket: FROM, prefix: '日', delimiter: '/' })
      expect(folded).toMatchObject({ objects: [], commonPrefixes: ['日本語/'] })
    })

    test.each([
      ['NoSuchKey', { bucket: TO, key: 'k', sourceBucket: FROM, sourceKey: 'none' }],
      ['NoSuchBucket', { bucket: 'client-test-none', key: 'k', sourceBucket: FROM, sourceKey: 'plain' }],
    ])('%s is told', async (code, request) => {
      expect(await rejection(s3.copyObject(request))).toMatchObject({ name: 'S3Error', code, status: 404 })
    })
  })
}
