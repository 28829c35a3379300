import { join } from 'node:path'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetQueueUrlCommand, ListQueuesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import pLimit from 'p-limit'
import { startAws } from '../../local/index.ts'

export const ROOT = join(import.meta.dirname, '..', '..')
export const STACK = 's3-71-test'

/** The embedded AWS with the stack of template.yaml on it, and clients for it. */
export async function startStack(parameters: Record<string, string> = {}) {
  const aws = await startAws()
  const client = { endpoint: aws.url, region: aws.region, credentials: aws.credentials }
  const s3 = new S3Client({ ...client, forcePathStyle: true })
  const sqs = new SQSClient(client)
  await aws.deploy({ stackName: STACK, template: join(ROOT, 'template.yaml'), parameters })
  return {
    aws,
    s3,
    sqs,
    env: aws.env,
    /** Creates a bucket with an object for each key; the body tells the key. */
    async bucket(name: string, keys: string[] = []): Promise<void> {
      await s3.send(new CreateBucketCommand({ Bucket: name }))
      const limit = pLimit(16)
      await Promise.all(
        keys.map((Key) =>
          limit(() => s3.send(new PutObjectCommand({ Bucket: name, Key, Body: `body of ${Key}` }))),
        ),
      )
    },
    async read(Bucket: string, Key: string): Promise<string | undefined> {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
      return await Body?.transformToString()
    },
    /** Keys of a bucket, in S3's order. */
    keys: (bucket: string): string[] => aws.s3.store.keys(bucket),
    /** Names of the run queues that exist. */
    async runQueues(): Promise<string[]> {
      const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: `${STACK}-run-` }))
      return QueueUrls
    },
    async stop(): Promise<void> {
      s3.destroy()
      sqs.destroy()
      await aws.stop()
    },
  }
}

export type TestStack = Awaited<ReturnType<typeof startStack>>

/** Waits until something is so; the test's own timeout is the limit. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50))
}

export async function send(sqs: SQSClient, queueUrl: string, body: string): Promise<void> {
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }))
}

export async function urlOf(sqs: SQSClient, name: string): Promise<string> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }))
  return QueueUrl as string
}
