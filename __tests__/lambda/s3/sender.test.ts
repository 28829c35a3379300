import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Answer } from '../../../lambda/s3/errors.ts'
import { createS3Client, HEAD_OBJECT, type Operation } from '../../../lambda/s3/index.ts'
import type { S3Request } from '../../../lambda/s3/sender.ts'
import { COPIED, COPY, client, errorXml, REGION, rejection, type Seen, serve } from './support.ts'

/** The region that a request was signed for. */
const regionOf = ({ headers }: Seen) =>
  /Credential=[^/]+\/\d+\/([^/]+)\//.exec(`${headers.authorization}`)?.[1]
const timeOf = ({ headers }: Seen) =>
  Date.parse(`${headers['x-amz-date']}`.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))

describe('a bucket in another region', () => {
  const told = { 'x-amz-bucket-region': 'eu-west-1' }

  test.each([
    ['301 with a header', { status: 301, headers: told, body: errorXml('PermanentRedirect') }],
    ['307 with a header', { status: 307, headers: told, body: errorXml('TemporaryRedirect') }],
    ['400 with a header and no body', { status: 400, headers: told }],
    [
      '400 with the region in its body',
      { status: 400, body: errorXml('AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>') },
    ],
  ])('is found by %s, and remembered', async (_, redirect) => {
    const { url, seen } = await serve((one) => (regionOf(one) === 'eu-west-1' ? { body: COPIED } : redirect))
    const s3 = client(url)
    await s3.copyObject(COPY)
    await s3.copyObject(COPY)
    expect(seen.map(regionOf)).toEqual([REGION, 'eu-west-1', 'eu-west-1'])
  })

  test('is followed once', async () => {
    const { url, seen } = await serve((_, n) => ({
      status: 301,
      headers: { 'x-amz-bucket-region': `region-${n}` },
      body: errorXml('PermanentRedirect'),
    }))
    expect(await rejection(client(url).copyObject(COPY))).toMatchObject({
      code: 'PermanentRedirect',
      status: 301,
      region: 'region-1',
    })
    expect(seen).toHaveLength(2)
  })

  test('is no business of other buckets, nor of other errors', async () => {
    const { url, seen } = await serve(({ url }) => ({
      status: url.startsWith('/to/') ? 403 : 404,
      headers: told,
    }))
    const s3 = client(url)
    expect(await rejection(s3.copyObject(COPY))).toMatchObject({ status: 403, region: 'eu-west-1' })
    await rejection(s3.copyObject({ ...COPY, bucket: 'other' }))
    expect(seen.map(regionOf)).toEqual([REGION, REGION])
  })
})

describe('a clock that is off', () => {
  const THEIRS = Date.UTC(2026, 0, 2, 3, 4, 5)
  const answer = (one: Seen) =>
    Math.abs(timeOf(one) - THEIRS) < 15 * 60_000
      ? { body: one.method === 'HEAD' ? '' : COPIED }
      : {
          status: 403,
          headers: { date: new Date(THEIRS).toUTCString() },
          body: one.method === 'HEAD' ? '' : errorXml('RequestTimeTooSkewed'),
        }

  test.each([-1, 1])("is put right by S3's, once, and stays so (%i day)", async (days) => {
    const { url, seen } = await serve(answer)
    const s3 = client(url, { clock: () => THEIRS + days * 86_400_000 })
    await s3.copyObject(COPY)
    await s3.copyObject(COPY)
    expect(seen.map((one) => timeOf(one) - THEIRS)).toEqual([days * 86_400_000, 0, 0])
  })

  test('is seen in the answer to HEAD, which has no code', async () => {
    const { url, seen } = await serve(answer)
    await client(url, { clock: () => THEIRS - 86_400_000 }).perform(HEAD_OBJECT, {
      bucket: 'to',
      key: 'k',
    })
    expect(seen).toHaveLength(2)
  })

  test('is corrected once for a call', async () => {
    const { url, seen } = await serve(() => ({ status: 403, body: errorXml('RequestTimeTooSkewed') }))
    expect(await rejection(client(url).copyObject(COPY))).toMatchObject({ code: 'RequestTimeTooSkewed' })
    expect(seen).toHaveLength(2)
  })

  test('is not blamed for a missing right', async () => {
    const { url, seen } = await serve(() => ({ status: 403 }))
    const s3 = client(url)
    expect(await rejection(s3.perform(HEAD_OBJECT, { bucket: 'to', key: 'k' }))).toMatchObject({
      code: 'Forbidden',
    })
    expect(seen).toHaveLength(1)
  })
})

describe('credentials', () => {
  test('are asked for with each request, at once or later', async () => {
    const { url, seen } = await serve(() => ({ body: COPIED }))
    let n = 0
    const next = () => ({ accessKeyId: `AKID${n}`, secretAccessKey: 's', sessionToken: `token${n++}` })
    const s3 = client(url, { credentials: () => (n === 0 ? next() : Promise.resolve(next())) })
    await s3.copyObject(COPY)
    await s3.copyObject(COPY)
    expect(seen.map(({ headers }) => headers['x-amz-security-token'])).toEqual(['token0', 'token1'])
    expect(seen.map(({ headers }) => /Credential=(\w+)/.exec(`${headers.authorization}`)?.[1])).toEqual([
      'AKID0',
      'AKID1',
    ])
  })

  test('that cannot be had fail the call as they are', async () => {
    const { url } = await serve(() => ({ body: COPIED }))
    const reason = new Error('no role')
    expect(await rejection(client(url, { credentials: () => Promise.reject(reason) }).copyObject(COPY))).toBe(
      reason,
    )
  })
})

describe('the environment', () => {
  const saved = { ...process.env }
  const NAMES = /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|ENDPOINT_URL(_S3)?)$/
  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (NAMES.test(name)) delete process.env[name]
  })
  afterEach(() => {
    process.env = { ...saved }
  })

  test('has credentials and endpoint by default, as in a function', async () => {
    const { url, seen } = await serve(() => ({ body: COPIED }))
    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: 'AKIDENV',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_SESSION_TOKEN: 't',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_ENDPOINT_URL_S3: url,
    })
    const s3 = createS3Client({ region: REGION })
    await s3.copyObject(COPY)
    await s3.close()
    expect(seen[0]?.headers).toMatchObject({
      authorization: expect.stringContaining('Credential=AKIDENV/'),
      'x-amz-security-token': 't',
    })
  })

  test('is asked for its credentials again after a second', async () => {
    const { url, seen } = await serve(() => ({ body: COPIED }))
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDOLD', AWS_SECRET_ACCESS_KEY: 's' })
    let now = Date.now()
    const s3 = createS3Client({ region: REGION, endpoint: url, clock: () => now })
    await s3.copyObject(COPY)
    process.env.AWS_ACCESS_KEY_ID = 'AKIDNEW'
    now += 1_000
    await s3.copyObject(COPY)
    await s3.close()
    expect(seen.map(({ headers }) => /Credential=(\w+)/.exec(headers.authorization ?? '')?.[1])).toEqual([
      'AKIDOLD',
      'AKIDNEW',
    ])
  })

  test('without credentials is named in the error', async () => {
    const s3 = createS3Client({ region: REGION })
    expect(await rejection(s3.copyObject(COPY))).toMatchObject({
      message: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    })
  })
})

test('any other call can be made: query, headers and body are sent, the answer is given', async () => {
  const { url, seen } = await serve(() => ({ headers: { 'x-amz-version-id': 'v' }, body: '<Done/>' }))
  const plain: Operation<S3Request, Answer> = { request: (request) => request, read: (answer) => answer }
  const answer = await client(url).perform(plain, {
    method: 'POST',
    bucket: 'b',
    key: 'a b',
    query: { uploads: '', prefix: undefined },
    headers: [['content-type', 'application/xml']],
    body: '<é/>',
  })
  expect(answer).toMatchObject({ status: 200, text: '<Done/>' })
  expect(answer.header('x-amz-version-id')).toBe('v')
  expect(answer.header('x-amz-other')).toBeUndefined()
  expect(new Map(answer.headers()).get('x-amz-version-id')).toBe('v')
  expect(seen[0]).toMatchObject({
    method: 'POST',
    url: '/b/a%20b?uploads=',
    body: '<é/>',
    headers: { 'content-type': 'application/xml', 'content-length': '5', 'user-agent': 's3-71-action' },
  })
})

test('HEAD of what is not there is NotFound', async () => {
  const { url } = await serve(() => ({ status: 404, headers: { 'x-amz-request-id': 'R' } }))
  expect(await rejection(client(url).perform(HEAD_OBJECT, { bucket: 'b', key: 'k' }))).toMatchObject({
    code: 'NotFound',
    status: 404,
  })
})
