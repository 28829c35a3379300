import { expect, test } from '@jest/globals'
import { serve } from '../s3/support.ts'
import { copyThem } from './support.ts'

const LARGE = { key: 'k', size: 2 * 1024 ** 3 }

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
          'x-amz-checksum-crc64nvme': 'c291cmNl',
          'x-amz-checksum-type': 'FULL_OBJECT',
        },
      }
    if (method === 'GET') return { body: '<Tagging><TagSet/></Tagging>' }
    if (url.endsWith('?uploads=')) return { body: '<R><UploadId>u</UploadId></R>' }
    if (method === 'PUT') return { body: '<CopyPartResult><ETag>"p"</ETag></CopyPartResult>' }
    return { body: '<R><ETag>"e-8"</ETag><ChecksumCRC64NVME>Y29weQ==</ChecksumCRC64NVME></R>' }
  })
  expect(await copyThem([LARGE], { url, from: 'from', to: 'to' })).toMatchObject({
    copied: 0,
    failures: [
      { key: 'k', code: 'ChecksumMismatch', message: expect.stringMatching(/is Y29weQ== .* c291cmNl/) },
    ],
  })
})
