import { GetObjectTaggingCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { Under } from '../../local/s3/harness.ts'

/** What an object can have besides its content. */
export const ATTRIBUTES = {
  ContentType: 'text/x-test',
  ContentEncoding: 'gzip',
  ContentLanguage: 'de',
  ContentDisposition: 'attachment; filename="a.txt"',
  CacheControl: 'max-age=60',
  Metadata: { colour: 'a  b', size: 'XL' },
}

/** Buckets to copy between on an S3 under test, and what to do there by the SDK. */
export function placesOn(under: Under) {
  return {
    async buckets(): Promise<{ url: string; from: string; to: string }> {
      const [from, to] = [await under.newBucket(), await under.newBucket()]
      return { url: under.url(), from, to }
    },
    put: (Bucket: string, Key: string, more: object = {}) =>
      under.client().send(new PutObjectCommand({ Bucket, Key, Body: `body of ${Key}`, ...more })),
    head: (Bucket: string, Key: string) => under.client().send(new HeadObjectCommand({ Bucket, Key })),
    tagsOf: async (Bucket: string, Key: string) =>
      (await under.client().send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet,
  }
}
