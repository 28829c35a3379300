import { expect, test } from '@jest/globals'
import { COMPLETE_MULTIPART_UPLOAD, UPLOAD_PART_COPY } from '../../../lambda/s3/index.ts'
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

test('a part names its bytes and the version that they are of, and S3 may take its time over it', () => {
  const request = UPLOAD_PART_COPY.request({
    bucket: 'to',
    key: 'k',
    uploadId: 'u',
    partNumber: 10_000,
    sourceBucket: 'from',
    sourceKey: 'a+b ?',
    copySourceIfMatch: '"e"',
    first: 5,
    last: 9,
    silenceMs: 300_000,
  })
  expect(request).toMatchObject({
    method: 'PUT',
    query: { partNumber: '10000', uploadId: 'u' },
    silenceMs: 300_000,
  })
  expect(new Map(request.headers)).toEqual(
    new Map([
      ['x-amz-copy-source', 'from/a%2Bb%20%3F'],
      ['x-amz-copy-source-range', 'bytes=5-9'],
      ['x-amz-copy-source-if-match', '"e"'],
    ]),
  )
})
