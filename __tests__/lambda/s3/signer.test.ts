import { createHmac, hash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import type { Credentials } from '../../../lambda/s3/credentials.ts'
import { encodePath, encodeQuery } from '../../../lambda/s3/encode.ts'
import { Signer, type Unsigned } from '../../../lambda/s3/signer.ts'

const CREDENTIALS: Credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const TIME = Date.UTC(2013, 4, 24)
const GET: Unsigned = {
  method: 'GET',
  host: 'examplebucket.s3.amazonaws.com',
  path: '/',
  query: '',
  headers: [],
}

function signatureOf(headers: string[]): string {
  return /Signature=(\w+)$/.exec(value(headers, 'authorization'))?.[1] ?? ''
}

function value(headers: string[], name: string): string {
  return headers[headers.indexOf(name) + 1] ?? ''
}

function sign(request: Partial<Unsigned>, credentials = CREDENTIALS): string[] {
  return new Signer().sign({ ...GET, ...request }, credentials, 'us-east-1', TIME)
}

describe("AWS's own examples (S3 API reference, Signature calculations for the Authorization header)", () => {
  test('GET of an object', () => {
    const headers = sign({ path: '/test.txt', headers: [['range', 'bytes=0-9']] })
    expect(value(headers, 'authorization')).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ' +
        'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, ' +
        'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    )
  })

  test('PUT of an object', () => {
    const headers = sign({
      method: 'PUT',
      path: encodePath('/test$file.text'),
      headers: [
        ['date', 'Fri, 24 May 2013 00:00:00 GMT'],
        ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
      ],
      body: 'Welcome to Amazon S3.',
    })
    expect(signatureOf(headers)).toBe('98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd')
  })

  test('GET of a lifecycle configuration', () => {
    const headers = sign({ query: encodeQuery({ lifecycle: '' }) })
    expect(signatureOf(headers)).toBe('fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543')
  })

  test('GET of a listing', () => {
    const headers = sign({ query: encodeQuery({ prefix: 'J', 'max-keys': '2' }) })
    expect(signatureOf(headers)).toBe('34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7')
  })
})

describe("the AWS SDK's signer agrees", () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 30 })
  /** Any that a header can hold, as characters. */
  const bytes = fc
    .string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((it) => String.fromCharCode(it)),
      maxLength: 30,
    })
    // The SDK takes more than blanks for blanks.
    .filter((it) => !/[\x7f-\xa0]/.test(it))
  // The SDK keeps a query in an object of its own, where this name is lost.
  const name = text.filter((it) => it !== '__proto__')
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/)

  test('on any key, query, headers, body, credentials, region and time', async () => {
    const request = fc.record({
      method: fc.constantFrom('GET', 'PUT', 'HEAD', 'POST', 'DELETE'),
      key: text,
      query: fc.dictionary(name, ascii, { maxKeys: 4, noNullPrototype: true }),
      headers: fc.dictionary(token, bytes, { maxKeys: 5, noNullPrototype: true }),
      body: fc.option(text, { nil: undefined }),
      secretAccessKey: fc.string({ unit: 'grapheme-ascii', minLength: 1 }),
      sessionToken: fc.option(fc.base64String({ minLength: 4 }), { nil: undefined }),
      region: fc.constantFrom('us-east-1', 'eu-central-1', 'cn-north-1'),
      time: fc.integer({ min: 0, max: 4e12 }),
    })
    const signer = new Signer()
    await fc.assert(
      fc.asyncProperty(request, async ({ method, key, query, headers, body, region, time, ...rest }) => {
        const credentials = { accessKeyId: 'AKIDEXAMPLE', ...rest }
        const extra = Object.entries(headers).map(([name, held]): [string, string] => [
          `x-amz-meta-${name}`,
          held,
        ])
        const path = `/bucket/${encodePath(key)}`
        const oracle = new SignatureV4({
          service: 's3',
          region,
          credentials: { ...credentials, sessionToken: credentials.sessionToken as string },
          sha256: Hash.bind(null, 'sha256'),
          uriEscapePath: false,
        })
        const expected = await oracle.sign(
          {
            method,
            protocol: 'http:',
            hostname: 'localhost',
            path,
            query,
            headers: { host: 'localhost:9000', ...Object.fromEntries(extra) },
            ...(body !== undefined && { body }),
          },
          { signingDate: new Date(time), unsignableHeaders: new Set() },
        )
        const unsigned = {
          method,
          host: 'localhost:9000',
          path,
          query: encodeQuery(query),
          headers: extra,
          body,
        }
        const ours = signer.sign(unsigned, credentials, region, time)
        expect(value(ours, 'authorization')).toBe(expected.headers.authorization)
        expect(value(ours, 'x-amz-date')).toBe(expected.headers['x-amz-date'])
      }),
      { numRuns: 500 },
    )
  })
})

test('a session token is sent and signed', () => {
  const headers = sign({}, { ...CREDENTIALS, sessionToken: 'token' })
  expect(value(headers, 'x-amz-security-token')).toBe('token')
  expect(value(headers, 'authorization')).toContain('x-amz-date;x-amz-security-token,')
})

test('a new secret under the same access key id is taken up', () => {
  const signer = new Signer()
  const rotated = { ...CREDENTIALS, secretAccessKey: 'another' }
  signer.sign(GET, CREDENTIALS, 'us-east-1', TIME)
  expect(signer.sign(GET, rotated, 'us-east-1', TIME)).toEqual(sign({}, rotated))
})

test('a body is hashed, and none has the hash of nothing', () => {
  expect(value(sign({ body: 'é' }), 'x-amz-content-sha256')).toBe(hash('sha256', 'é'))
  expect(value(sign({}), 'x-amz-content-sha256')).toBe(hash('sha256', ''))
})

test('a header beyond ASCII is signed as S3 reads it: by the UTF-8 of its bytes taken for Latin-1 characters', () => {
  const ours = sign({ headers: [['x-amz-meta-name', Buffer.from('é').toString('latin1')]] })
  const canonical = [
    'GET',
    '/',
    '',
    'host:examplebucket.s3.amazonaws.com',
    `x-amz-content-sha256:${hash('sha256', '')}`,
    'x-amz-date:20130524T000000Z',
    'x-amz-meta-name:Ã©',
    '',
    'host;x-amz-content-sha256;x-amz-date;x-amz-meta-name',
    hash('sha256', ''),
  ].join('\n')
  expect(signatureOf(ours)).toBe(signatureOfCanonical(canonical))
})

/** Signature Version 4 of a canonical request in UTF-8, step by step. */
function signatureOfCanonical(canonical: string): string {
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
  let key: string | Buffer = `AWS4${CREDENTIALS.secretAccessKey}`
  for (const part of ['20130524', 'us-east-1', 's3', 'aws4_request']) key = hmac(key, part)
  const scope = '20130524/us-east-1/s3/aws4_request'
  return hmac(key, `AWS4-HMAC-SHA256\n20130524T000000Z\n${scope}\n${hash('sha256', canonical)}`).toString(
    'hex',
  )
}
