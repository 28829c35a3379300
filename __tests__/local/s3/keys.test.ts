import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { expect } from '@jest/globals'
import fc from 'fast-check'
import { decodeListed, encode, onEveryS3, textOf } from './harness.ts'

const HOSTILE = [
  '+',
  '%',
  '%2F',
  '/',
  '//',
  ' ',
  '?',
  '#',
  '&',
  '=',
  '<',
  '"',
  '\u{1F600}',
  'é',
  'e\u0301',
  '?versionId=',
]
const UNPRINTABLE = ['\u0001', '\u007F', '\r', '\n', '\t', '\u0085', '\u2028', '\uFFFE', '\uFFFF']
const NAMES = ['soap', '__proto__', 'constructor', './a', 'a/.', '/', '//', '😀'.repeat(250)]

/** Keys made of any characters, of the given ones, or of the kind that has bitten others. */
function keysOf(unit: 'binary' | 'grapheme', hostile: readonly string[]): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.string({ unit, minLength: 1, maxLength: 40 }),
      fc.array(fc.constantFrom(...hostile), { minLength: 1, maxLength: 12 }).map((parts) => parts.join('')),
      fc.constantFrom(...NAMES),
    )
    .filter((key) => Buffer.byteLength(key) <= 1024 && !key.split('/').includes('..') && !key.includes('\0'))
}

/** Puts an object, finds it in the listing, copies what was found, and reads the copy. */
async function roundTrip(client: S3Client, source: string, destination: string, Key: string): Promise<void> {
  const { ETag } = await client.send(new PutObjectCommand({ Bucket: source, Key, Body: Key }))
  const list = new ListObjectsV2Command({ Bucket: source, Prefix: Key, MaxKeys: 1, EncodingType: 'url' })
  const listed = decodeListed((await client.send(list)).Contents?.[0]?.Key ?? '')
  expect(listed).toBe(Key)
  const CopySource = `${source}/${encode(listed)}`
  await client.send(new CopyObjectCommand({ Bucket: destination, Key: listed, CopySource }))
  expect((await client.send(new HeadObjectCommand({ Bucket: destination, Key }))).ETag).toBe(ETag)
  const { Body } = await client.send(new GetObjectCommand({ Bucket: destination, Key }))
  expect(await textOf(Body)).toBe(Key)
}

onEveryS3('put, list, copy, head and get', ({ test, embeddedOnly, client, newBucket }) => {
  const property = (keys: fc.Arbitrary<string>, numRuns: number) => async () => {
    const [source, destination] = [await newBucket(), await newBucket()]
    await fc.assert(
      fc.asyncProperty(keys, (key) => roundTrip(client(), source, destination, key)),
      { numRuns },
    )
  }
  test('agree on any key of printable characters', property(keysOf('grapheme', HOSTILE), 100), 60_000)
  embeddedOnly('moto’s web server refuses line ends')(
    'agree on any key',
    property(keysOf('binary', [...HOSTILE, ...UNPRINTABLE]), 500),
    60_000,
  )
})
