import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isTransient } from '../../../lambda/s3/index.ts'
import { client, HOSTILE_KEYS, rejection, serve } from './support.ts'

const page = (inside: string, more = '<IsTruncated>false</IsTruncated>') =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>` +
  `<Prefix/><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>${more}${inside}</ListBucketResult>`
const contents = (key: string, size = 1) =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;e&quot;</ETag>` +
  `<Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`

async function list(body: string) {
  const server = await serve(() => ({ body }))
  return client(server.url).listObjectsV2({ bucket: 'b' })
}

test('asks for what it was told to, always with encoded keys', async () => {
  const server = await serve(() => ({ body: page('') }))
  await client(server.url).listObjectsV2({
    bucket: 'b',
    prefix: 'p q/',
    startAfter: 'é',
    continuationToken: '1/+=',
    delimiter: '/',
    maxKeys: 5,
    requestPayer: 'requester',
    expectedBucketOwner: '123456789012',
    optionalObjectAttributes: 'RestoreStatus',
  })
  expect(server.seen[0]).toMatchObject({
    method: 'GET',
    url:
      '/b?continuation-token=1%2F%2B%3D&delimiter=%2F&encoding-type=url&list-type=2&max-keys=5&prefix=p%20q%2F' +
      '&start-after=%C3%A9',
    headers: {
      'x-amz-request-payer': 'requester',
      'x-amz-expected-bucket-owner': '123456789012',
      'x-amz-optional-object-attributes': 'RestoreStatus',
    },
  })
})

describe('a page', () => {
  test('tells its objects, folders and where to go on', async () => {
    const more = '<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b=</NextContinuationToken>'
    const folders = '<CommonPrefixes><Prefix>a+b%2F</Prefix></CommonPrefixes>'
    expect(await list(page(contents('k%2Bl+m', 5 * 2 ** 40) + folders, more))).toEqual({
      objects: [
        {
          key: 'k+l m',
          size: 5 * 2 ** 40,
          etag: '"e"',
          lastModified: '2026-01-02T03:04:05.000Z',
          storageClass: 'STANDARD',
        },
      ],
      commonPrefixes: ['a b/'],
      isTruncated: true,
      nextContinuationToken: 'a&b=',
    })
  })

  test('may be empty, with more to come or without', async () => {
    const more = '<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>'
    expect(await list(page('', more))).toMatchObject({
      objects: [],
      isTruncated: true,
      nextContinuationToken: 't',
    })
    expect(await list(page(''))).toEqual({ objects: [], commonPrefixes: [], isTruncated: false })
  })

  test('may say more than we know, in elements of any depth', async () => {
    const strange =
      '<CommonPrefixes/><New a="1"><Key>no</Key><Size>9</Size></New><Contents><Owner><ID>x</ID><Key>no</Key></Owner><Empty/><RestoreStatus/>' +
      '<Key>yes</Key><Size>0</Size><ETag>e</ETag></Contents>'
    expect((await list(page(strange))).objects).toEqual([
      { key: 'yes', size: 0, etag: 'e', restoreStatus: { inProgress: false } },
    ])
  })

  test('tells what became of archived objects', async () => {
    const archived = (status: string) =>
      `<Contents><Key>k</Key><Size>1</Size><ETag>e</ETag><RestoreStatus>${status}</RestoreStatus></Contents>`
    const restored =
      '<IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>2026-02-01T00:00:00.000Z</RestoreExpiryDate>'
    const { objects } = await list(
      page(archived(restored) + archived('<IsRestoreInProgress>true</IsRestoreInProgress>')),
    )
    expect(objects.map(({ restoreStatus }) => restoreStatus)).toEqual([
      { inProgress: false },
      { inProgress: true },
    ])
  })

  test('of a server that does not encode keys is not decoded', async () => {
    const body = page(contents('a+%41&amp;')).replace('<EncodingType>url</EncodingType>', '')
    expect((await list(body)).objects[0]?.key).toBe('a+%41&')
  })

  test('gives any keys back exactly', async () => {
    let keys: string[] = []
    const encode = (key: string) => encodeURIComponent(key).replaceAll('%20', '+')
    const server = await serve(() => ({ body: page(keys.map((key) => contents(encode(key))).join('')) }))
    const s3 = client(server.url)
    const any = fc.array(fc.string({ unit: 'binary', minLength: 1 }), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(any, async (given) => {
        keys = [...given, ...HOSTILE_KEYS]
        const { objects } = await s3.listObjectsV2({ bucket: 'b' })
        expect(objects.map(({ key }) => key)).toEqual(keys)
      }),
      { numRuns: 50 },
    )
  })
})

describe('what is no whole page is a passing error:', () => {
  const whole = page(contents('a') + contents('b'))
  test.each([
    ['an empty body', ''],
    ['another document', '<?xml version="1.0"?><CopyObjectResult></CopyObjectResult>'],
    ['HTML', '<!DOCTYPE html><html></html>'],
    ['no word on whether more follows', page('', '')],
    ['more, but not where', page('', '<IsTruncated>true</IsTruncated>')],
    ['an object without a size', page('<Contents><Key>k</Key></Contents>')],
    ['a key that is no UTF-8', page(contents('%FF'))],
  ])('%s', async (_, body) => {
    const error = await rejection(list(body))
    expect(error).toMatchObject({ name: 'S3Error', code: 'IncompleteAnswer', status: 200 })
    expect(isTransient(error)).toBe(true)
  })

  test('a page that is cut off, wherever', async () => {
    let end = 0
    const server = await serve(() => ({ body: whole.slice(0, end) }))
    const s3 = client(server.url)
    for (end = 0; end < whole.length; end += 7)
      expect(await rejection(s3.listObjectsV2({ bucket: 'b' }))).toMatchObject({ code: 'IncompleteAnswer' })
  })
})
