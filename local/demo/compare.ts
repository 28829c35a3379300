import { createHash } from 'node:crypto'
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'

/** What must be the same on both sides. */
type Fingerprint = { size: number; sha256: string; contentType: string; metadata: string }

export type Comparison = { identical: number; total: number; differences: string[] }

/** Reads every object of both sides and compares size, content, content type and metadata. */
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

async function listKeys(s3: S3Client, bucket: string): Promise<Set<string>> {
  const keys = new Set<string>()
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: bucket, EncodingType: 'url' },
  ))
    for (const { Key = '' } of Contents) keys.add(decodeURIComponent(Key.replaceAll('+', ' ')))
  return keys
}

async function fingerprint(s3: S3Client, bucket: string, key: string): Promise<Fingerprint> {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  const body = (await object.Body?.transformToByteArray()) ?? new Uint8Array()
  const metadata = Object.entries(object.Metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    size: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
    contentType: object.ContentType ?? '',
    metadata: JSON.stringify(metadata),
  }
}
