import { expect, test } from '@jest/globals'
import { COMPLETE_MULTIPART_UPLOAD } from '../../../lambda/s3/index.ts'
import { client, serve } from './support.ts'

test('parts are joined under all that S3 can check the whole by: its size, its checksum, and those of the parts', async () => {
  const { url, seen } = await serve(() => ({ body: '<R><ETag>"e-2"</ETag></R>' }))
  await client(url).perform(COMPLETE_MULTIPART_UPLOAD, {
    bucket: 'to',
    key: 'k',
    uploadId: 'u',
    parts: [
      { number: 1, etag: '"a"', checksums: { CRC32: 'AAAA' } },
      { number: 2, etag: '"b"', checksums: {} },
    ],
    size: 50 * 10 ** 12,
    checksum: { algorithm: 'CRC32', value: 'd2hvbGU=' },
  })
  expect(seen[0]).toMatchObject({
    method: 'POST',
    url: '/to/k?uploadId=u',
    headers: {
      'x-amz-mp-object-size': '50000000000000',
      'x-amz-checksum-crc32': 'd2hvbGU=',
      'x-amz-checksum-type': 'FULL_OBJECT',
    },
  })
  const parts = seen[0]?.body.match(/<Part>.*?<\/Part>/g)
  expect(parts).toEqual([
    '<Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag><ChecksumCRC32>AAAA</ChecksumCRC32></Part>',
    '<Part><PartNumber>2</PartNumber><ETag>&quot;b&quot;</ETag></Part>',
  ])
})
