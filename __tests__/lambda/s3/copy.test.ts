import { describe, expect, test } from '@jest/globals'
import { isThrottle, isTransient } from '../../../lambda/s3/index.ts'
import { COPIED, COPY, client, errorXml, HOSTILE_KEYS, rejection, type Seen, serve } from './support.ts'

test('tells what S3 says of the copy', async () => {
  const server = await serve(() => ({ body: COPIED }))
  expect(await client(server.url).copyObject(COPY)).toEqual({
    etag: '"9b2cf535f27731c974343645a3985328"',
    checksums: { CRC64NVME: 'mI+Ji1NHP80=' },
  })
})

test('sends every field as its header, and nothing for what is not given', async () => {
  const server = await serve(() => ({ body: COPIED }))
  await client(server.url).copyObject({
    ...COPY,
    taggingDirective: 'REPLACE',
    annotationDirective: 'EXCLUDE',
    tagging: 'a=b%20c',
    storageClass: 'GLACIER_IR',
    serverSideEncryption: 'aws:kms',
    sseKmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/k',
    bucketKeyEnabled: 'true',
    acl: 'bucket-owner-full-control',
    checksumAlgorithm: 'SHA256',
    ifNoneMatch: '*',
    copySourceIfMatch: '"e"',
    requestPayer: 'requester',
    expectedBucketOwner: '111111111111',
    expectedSourceBucketOwner: '222222222222',
    checksumType: undefined,
    websiteRedirectLocation: '/elsewhere',
  })
  const { headers } = server.seen[0] as Seen
  const sent = Object.entries(headers).filter(
    ([name]) =>
      !/^(host|connection|content-length|x-amz-(date|content-sha256)|authorization|user-agent)$/.test(name),
  )
  expect(Object.fromEntries(sent)).toEqual({
    'x-amz-copy-source': 'from/k',
    'x-amz-tagging-directive': 'REPLACE',
    'x-amz-object-annotation-directive': 'EXCLUDE',
    'x-amz-tagging': 'a=b%20c',
    'x-amz-storage-class': 'GLACIER_IR',
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:us-east-1:123456789012:key/k',
    'x-amz-server-side-encryption-bucket-key-enabled': 'true',
    'x-amz-acl': 'bucket-owner-full-control',
    'x-amz-checksum-algorithm': 'SHA256',
    'if-none-match': '*',
    'x-amz-copy-source-if-match': '"e"',
    'x-amz-request-payer': 'requester',
    'x-amz-expected-bucket-owner': '111111111111',
    'x-amz-source-expected-bucket-owner': '222222222222',
    'x-amz-website-redirect-location': '/elsewhere',
  })
  expect(headers.expect).toBeUndefined()
})

test('hostile keys reach the server as they are, in the path and as the source', async () => {
  const server = await serve(() => ({ body: COPIED }))
  const s3 = client(server.url)
  for (const key of HOSTILE_KEYS) {
    await s3.copyObject({ ...COPY, key, sourceKey: key })
    const { url = '', headers } = server.seen.at(-1) ?? {}
    expect(decodeURIComponent(url)).toBe(`/to/${key}`)
    expect(decodeURIComponent(`${headers?.['x-amz-copy-source']}`)).toBe(`from/${key}`)
    // What a URL parser or a form decoder would take for its own.
    expect(url).not.toMatch(/[?#+;]/)
    expect(headers?.['x-amz-copy-source']).not.toMatch(/[?#+;]/)
  }
})

describe('a success that is none', () => {
  test.each([
    ['SlowDown', true],
    ['InternalError', true],
    ['AccessDenied', false],
  ])('%s in its body: transient is %s', async (code, transient) => {
    const server = await serve(() => ({ body: errorXml(code) }))
    const error = await rejection(client(server.url).copyObject(COPY))
    expect(error).toMatchObject({ name: 'S3Error', code, message: `about ${code}`, status: 200 })
    expect(isTransient(error)).toBe(transient)
    expect(isThrottle(error)).toBe(code === 'SlowDown')
  })

  test.each([
    ['an empty body', ''],
    ['blanks, as S3 sends while it works', '   \n  '],
    ['half a result', COPIED.slice(0, -20)],
    ['a result without an ETag', '<CopyObjectResult></CopyObjectResult>'],
    ['half an error', '<Error><Code>Slow'],
  ])('%s', async (_, body) => {
    const server = await serve(() => ({ body }))
    const error = await rejection(client(server.url).copyObject(COPY))
    expect(error).toMatchObject({ name: 'S3Error', status: 200 })
    expect(isTransient(error)).toBe(true)
  })

  test('blanks before the result do not matter', async () => {
    const server = await serve(() => ({ body: `\n   ${COPIED}` }))
    expect(await client(server.url).copyObject(COPY)).toMatchObject({ etag: expect.any(String) })
  })
})

test('a header that HTTP does not allow is a definite error of that object', async () => {
  const server = await serve(() => ({ body: COPIED }))
  const error = await rejection(client(server.url).copyObject({ ...COPY, acl: 'a\nb: c' }))
  expect(error).toMatchObject({ name: 'S3Error', code: 'UND_ERR_INVALID_ARG', status: 0 })
  expect(isTransient(error)).toBe(false)
  expect(server.seen).toHaveLength(0)
})
