import { expect, test } from '@jest/globals'
import { check } from '../../../lambda/copy/check.ts'
import { Content, type Fault, type Intercepted, startS3 } from '../../../local/s3/index.ts'
import type { Options } from '../../../protocol/run.ts'
import { Clock, clientOf, copyThem, listAll } from './support.ts'

/** More than a header takes. */
const TAGS = new Map(Array.from({ length: 10 }, (_, n) => [`${n}${'k'.repeat(100)}`, 'v'.repeat(200)]))

test('every request names the owner of its bucket and of its source, and who pays', async () => {
  const requests: Intercepted[] = []
  const clock = new Clock()
  let fault: (request: Intercepted) => Fault | undefined = () => undefined
  const { url, store, close } = await startS3({
    intercept: (request) => {
      requests.push(request)
      return fault(request)
    },
  })
  const [from, to] = ['from', 'to'].map((name) => store.createBucket(name))
  if (from) from.owner = '111111111111'
  if (to) to.owner = '222222222222'
  const attributes = { tags: TAGS, annotations: new Map([['a', '1']]) }
  store.put('from', 'small', 'x', attributes)
  store.put('from', 'large', Content.sparse(2 * 1024 ** 3), attributes)
  const options: Options = {
    sourceOwner: '111111111111',
    destinationOwner: '222222222222',
    requestPayer: 'requester',
    annotations: 'copy',
  }
  const setting = { url, from: 'from', to: 'to', options, clock }
  const objects = await listAll(url, 'from')
  requests.length = 0

  // The first attempt has no time for all parts, the second goes on, and the third loses its right.
  fault = ({ operation }) => {
    if (operation === 'UploadPartCopy') clock.at = 1e9
    return undefined
  }
  const { late } = await copyThem(objects, { ...setting, deadline: 1e8 })
  fault = () => undefined
  expect(await copyThem(late, setting)).toMatchObject({ copied: 1, failures: [] })
  fault = ({ operation }) =>
    operation === 'UploadPartCopy' ? { kind: 'error', code: 'AccessDenied' } : undefined
  expect(await copyThem(objects, setting)).toMatchObject({ copied: 1, failures: [{ key: 'large' }] })
  const s3 = clientOf(url)
  const places = { source: { bucket: 'from', prefix: '' }, destination: { bucket: 'to', prefix: '' } }
  expect(await check({ ...places, options }, s3)).toMatchObject({ problems: [] })
  await s3.close()
  await close()

  expect([...new Set(requests.map(({ operation }) => operation))].sort()).toEqual([
    'AbortMultipartUpload',
    'CompleteMultipartUpload',
    'CopyObject',
    'CreateMultipartUpload',
    'GetObject',
    'GetObjectAnnotation',
    'GetObjectTagging',
    'HeadObject',
    'ListObjectAnnotations',
    'ListObjectsV2',
    'ListParts',
    'PutObjectAnnotation',
    'PutObjectTagging',
    'UploadPartCopy',
  ])
  const unguarded = requests.filter(
    ({ bucket, headers }) =>
      headers['x-amz-expected-bucket-owner'] !== (bucket === 'from' ? '111111111111' : '222222222222') ||
      (headers['x-amz-copy-source'] && headers['x-amz-source-expected-bucket-owner'] !== '111111111111') ||
      headers['x-amz-request-payer'] !== 'requester',
  )
  expect(unguarded.map(({ operation, bucket }) => `${operation} ${bucket}`)).toEqual([])
})
