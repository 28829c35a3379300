import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Aws } from './index.ts'

/** What the payloads in events/ speak of. */
const BUCKETS = ['source', 'destination']
const KEYS = ['a+b.txt', '日/🚀']
const QUEUES = ['list', 'copy', 'events-run-20260101-000000-00000000']

/** Creates the buckets, objects and queues that events/*.json name, so that functions can be invoked with those by hand. */
export async function prepareEvents({ url: endpoint, region, credentials }: Aws): Promise<void> {
  const config = { endpoint, region, credentials }
  const s3 = new S3Client({ ...config, forcePathStyle: true })
  const sqs = new SQSClient(config)
  for (const Bucket of BUCKETS) await s3.send(new CreateBucketCommand({ Bucket }))
  for (const Key of KEYS) await s3.send(new PutObjectCommand({ Bucket: 'source', Key, Body: 'hello' }))
  for (const QueueName of QUEUES) await sqs.send(new CreateQueueCommand({ QueueName }))
  s3.destroy()
  sqs.destroy()
}
