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
