import { createHash } from 'node:crypto'
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3'
import pLimit from 'p-limit'

/** What must be the same on both sides. */
type Fingerprint = {
  size: number
  sha256: string
  contentType: string
  metadata: string
  tags: string
  storageClass: string
}

/** Of larger objects only samples are read: so many, of so many bytes. */
const LARGE_BYTES = 1024 ** 3
const SAMPLES = 32
const SAMPLE_BYTES = 64 * 1024

type Comparison = { identical: number; total: number; differences: string[] }

/** Reads every object of both sides and compares size, content, content type, metadata, tags and storage class. */
export async function compareBuckets(s3: S3Client, source: string, destination: string): Promise<Comparison> {
  const [keys, found] = await Promise.all([listKeys(s3, source), listKeys(s3, destination)])
  const differences = [...found.difference(keys)].map(
    (key) => `only in the destination: ${JSON.stringify(key)}`,
  )
  const limit = pLimit(32)
  let identical = 0
  await Promise.all(
    [...keys].map((key) =>
      limit(async () => {
        const shown = JSON.stringify(key)
        if (!found.has(key)) return differences.push(`missing in the destination: ${shown}`)
        const [a, b] = await Promise.all([fingerprint(s3, source, key), fingerprint(s3, destination, key)])
        const unlike = (Object.keys(a) as (keyof Fingerprint)[]).filter((name) => a[name] !== b[name])
        if (unlike.length > 0) return differences.push(`${shown} differs in ${unlike.join(', ')}`)
        return identical++
      }),
    ),
  )
  return { identical, total: keys.size, differences }
}

/** All keys of a bucket. */
export async function listKeys(s3: S3Client, bucket: string): Promise<Set<string>> {
  const keys = new Set<string>()
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: bucket, EncodingType: 'url' },
  ))
    for (const { Key = '' } of Contents) keys.add(decodeURIComponent(Key.replaceAll('+', ' ')))
  return keys
}

async function fingerprint(s3: S3Client, bucket: string, key: string): Promise<Fingerprint> {
  const place = { Bucket: bucket, Key: key }
  const head = await s3.send(new HeadObjectCommand(place))
  const size = head.ContentLength ?? 0
  const hash = createHash('sha256')
  for (const range of rangesOf(size)) {
    const { Body } = await s3.send(new GetObjectCommand({ ...place, ...range }))
    hash.update((await Body?.transformToByteArray()) ?? '')
  }
  const { TagSet = [] } = head.TagCount ? await s3.send(new GetObjectTaggingCommand(place)) : {}
  return {
    size,
    sha256: hash.digest('hex'),
    contentType: head.ContentType ?? '',
    metadata: JSON.stringify(Object.entries(head.Metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))),
    tags: JSON.stringify(TagSet),
    storageClass: head.StorageClass ?? 'STANDARD',
  }
}

/** All of an object, or samples from its first byte to its last. */
function rangesOf(size: number): { Range?: string }[] {
  if (size < LARGE_BYTES) return [{}]
  const step = (size - SAMPLE_BYTES) / (SAMPLES - 1)
  return Array.from({ length: SAMPLES }, (_, index) => {
    const first = Math.floor(index * step)
    return { Range: `bytes=${first}-${first + SAMPLE_BYTES - 1}` }
  })
}
