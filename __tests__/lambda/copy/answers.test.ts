import { expect, test } from '@jest/globals'
import { errorXml, serve } from '../s3/support.ts'
import { copyThem } from './support.ts'

const LARGE = { key: 'k', size: 2 * 1024 ** 3 }

/** What S3 answers to all but HEAD while an object is copied in parts; its join may say more. */
function inParts(method: string, url: string, more = ''): { body: string } {
  if (method === 'GET') return { body: '<Tagging><TagSet/></Tagging>' }
  if (url.endsWith('?uploads=')) return { body: '<R><UploadId>u</UploadId></R>' }
  if (method === 'PUT') return { body: '<CopyPartResult><ETag>"p"</ETag></CopyPartResult>' }
  return { body: `<R><ETag>"e-8"</ETag>${more}</R>` }
}

test('metadata that S3 can’t tell is no reason to leave it behind quietly: the object is reported', async () => {
  const headers = { 'content-length': String(LARGE.size), etag: '"e-2"', 'x-amz-missing-meta': '2' }
  const { url, seen } = await serve(() => ({ headers }))
  expect(await copyThem([LARGE], { url, from: 'from', to: 'to' })).toMatchObject({
    copied: 0,
    failures: [{ key: 'k', code: 'UnreadableMetadata', message: expect.stringMatching(/^2 of its/) }],
  })
  expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['HEAD /from/k'])
})

test('a checksum of the whole that is not the source’s is a failure, where S3 did not look itself', async () => {
  const { url } = await serve(({ method, url }) => {
    if (method === 'HEAD')
      return {
        headers: {
          'content-length': String(LARGE.size),
          etag: '"e-2"',
          // S3 promises no order of them.
          'x-amz-checksum-type': 'FULL_OBJECT',
          'x-amz-checksum-crc64nvme': 'c291cmNl',
        },
      }
    return inParts(method, url, '<ChecksumCRC64NVME>Y29weQ==</ChecksumCRC64NVME>')
  })
  expect(await copyThem([LARGE], { url, from: 'from', to: 'to' })).toMatchObject({
    copied: 0,
    failures: [
      { key: 'k', code: 'ChecksumMismatch', message: expect.stringMatching(/is Y29weQ== .* c291cmNl/) },
    ],
  })
})

/** A server that refuses HEAD once, and says why to whoever reads the object. */
async function refusesHead(status: number, reason: { status?: number; body?: string }) {
  let heads = 0
  return await serve(({ method, url, headers }) => {
    if (method === 'HEAD')
      return heads++ === 0 ? { status } : { headers: { 'content-length': String(LARGE.size), etag: '"e-2"' } }
    if (method === 'GET' && headers.range) return reason
    return inParts(method, url)
  })
}

test.each([
  [400, 400, 'ExpiredToken'],
  [400, 400, 'RequestTimeout'],
  [403, 403, 'RequestTimeTooSkewed'],
  [400, 416, 'InvalidRange'],
])('HEAD refused with %i for %i %s, which passes, is asked again', async (head, status, code) => {
  const { url } = await refusesHead(head, { status, body: errorXml(code) })
  expect(await copyThem([LARGE], { url, from: 'from', to: 'to' })).toMatchObject({ copied: 1, failures: [] })
})

test('HEAD refused though the object can be read is asked again', async () => {
  const { url } = await refusesHead(400, { status: 206, body: 'x' })
  expect(await copyThem([LARGE], { url, from: 'from', to: 'to' })).toMatchObject({ copied: 1, failures: [] })
})

test.each([
  [400, 400, 'InvalidRequest'],
  [400, 400, 'KMS.DisabledException'],
  [403, 403, 'AccessDenied'],
  [404, 404, 'NoSuchBucket'],
])('HEAD refused with %i for good is reported with what S3 says: %i %s', async (head, status, code) => {
  const { url } = await refusesHead(head, { status, body: errorXml(code) })
  expect(await copyThem([LARGE], { url, from: 'from', to: 'to' })).toMatchObject({
    copied: 0,
    failures: [{ key: 'k', code, message: `about ${code}` }],
  })
})

test('an object that HEAD does not find has vanished', async () => {
  const { url } = await refusesHead(404, { status: 404, body: errorXml('NoSuchKey') })
  expect(await copyThem([LARGE], { url, from: 'from', to: 'to' })).toMatchObject({
    vanished: 1,
    failures: [],
  })
})

test('user metadata beyond ASCII is sent as S3 gave it: in words of ASCII', async () => {
  const word = '=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?='
  const { url, seen } = await serve(({ method, url }) => {
    if (method === 'HEAD')
      return { headers: { 'content-length': String(LARGE.size), etag: '"e-2"', 'x-amz-meta-name': word } }
    return inParts(method, url)
  })
  expect(await copyThem([LARGE], { url, from: 'from', to: 'to' })).toMatchObject({ copied: 1 })
  const begun = seen.find(({ url }) => url.endsWith('?uploads='))
  expect(begun?.headers['x-amz-meta-name']).toBe(word)
})
