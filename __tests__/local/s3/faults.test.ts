import {
  CopyObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Fault, type Intercepted, startS3 } from '../../../local/s3/index.ts'
import { newClient, rawRequest, refusal, rejection } from './harness.ts'

describe('the intercept of the embedded S3', () => {
  let fault: Fault | undefined
  let seen: Intercepted[] = []
  let s3: Awaited<ReturnType<typeof startS3>>
  let client: ReturnType<typeof newClient>

  beforeEach(async () => {
    fault = undefined
    seen = []
    s3 = await startS3({
      intercept: (request) => {
        seen.push(request)
        return fault
      },
    })
    s3.store.createBucket('bucket')
    s3.store.put('bucket', 'k', 'x')
    client = newClient(s3.url)
  })
  afterEach(async () => {
    client.destroy()
    await s3.close()
  })

  const put = (Key = 'new') => client.send(new PutObjectCommand({ Bucket: 'bucket', Key, Body: 'x' }))
  const copy = () =>
    client.send(new CopyObjectCommand({ Bucket: 'bucket', Key: 'new', CopySource: 'bucket/k' }))
  const made = () => s3.store.get('bucket', 'new') !== undefined

  test('sees the operation, bucket, key and headers of each request', async () => {
    await put('ü 😀')
    await client.send(new ListObjectsV2Command({ Bucket: 'bucket', Prefix: 'p' }))
    await copy()
    expect(seen.map(({ operation, bucket, key }) => [operation, bucket, key])).toEqual([
      ['PutObject', 'bucket', 'ü 😀'],
      ['ListObjectsV2', 'bucket', ''],
      ['CopyObject', 'bucket', 'new'],
    ])
    expect(seen[1]?.query.get('prefix')).toBe('p')
    expect(seen[2]?.headers['x-amz-copy-source']).toBe('bucket/k')
  })

  test('an error is answered, and the work not done', async () => {
    fault = { kind: 'error', code: 'SlowDown' }
    expect(await refusal(put())).toEqual({ code: 'SlowDown', status: 503 })
    expect(made()).toBe(false)
    const head = client.send(new HeadObjectCommand({ Bucket: 'bucket', Key: 'k' }))
    expect((await refusal(head)).status).toBe(503)
  })

  test('an error inside a 200', async () => {
    fault = { kind: 'error-in-200', code: 'InternalError' }
    const { status, text } = await rawRequest(s3.url, 'PUT', '/bucket/new', {
      headers: { 'x-amz-copy-source': 'bucket/k' },
    })
    expect([status, text]).toEqual([200, expect.stringContaining('<Error><Code>InternalError</Code>')])
    // The SDK takes it for a 503 (aws-facts, "in SDK v3").
    expect((await refusal(copy())).status).toBe(503)
    expect(made()).toBe(false)
  })

  test('an empty 200', async () => {
    fault = { kind: 'error-in-200' }
    expect((await refusal(copy())).status).toBe(503)
    expect(made()).toBe(false)
  })

  test('an answer that breaks off, after the work was done', async () => {
    fault = { kind: 'truncated' }
    const { status, text } = await rawRequest(s3.url, 'PUT', '/bucket/new', {
      headers: { 'x-amz-copy-source': 'bucket/k' },
    })
    expect([status, text]).toEqual([200, expect.stringContaining('<CopyObjectResult')])
    expect(text).not.toContain('</CopyObjectResult>')
    expect(made()).toBe(true)
  })

  test('a connection reset before the work is done, and after', async () => {
    fault = { kind: 'reset', when: 'before' }
    expect((await rejection(put())).message).toMatch(/ECONNRESET|socket hang up/)
    expect(made()).toBe(false)
    fault = { kind: 'reset', when: 'after' }
    expect((await rejection(put())).message).toMatch(/ECONNRESET|socket hang up/)
    expect(made()).toBe(true)
  })

  test('a promise delays', async () => {
    await s3.close()
    const order: string[] = []
    let release = () => {}
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    s3 = await startS3({ intercept: ({ key }) => (key === 'held' ? held : undefined) })
    s3.store.createBucket('bucket')
    client.destroy()
    client = newClient(s3.url)
    const first = put('held').then(() => order.push('held'))
    await put('free').then(() => order.push('free'))
    expect(s3.store.get('bucket', 'held')).toBeUndefined()
    release()
    await first
    expect(order).toEqual(['free', 'held'])
  })
})
