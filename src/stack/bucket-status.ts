import { HeadBucketCommand, type HeadBucketCommandInput, type S3Client } from '@aws-sdk/client-s3'

/** The HTTP status with which S3 answers HeadBucket: 404 where there is no such bucket. Throws what is no answer. */
export async function bucketStatus(s3: S3Client, bucket: HeadBucketCommandInput): Promise<number> {
  try {
    await s3.send(new HeadBucketCommand(bucket))
    return 200
  } catch (error) {
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0
    if (status < 300 || status >= 500) throw error
    return status
  }
}
