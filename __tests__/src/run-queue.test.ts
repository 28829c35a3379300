import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from '@jest/globals'
import { startAws } from '../../local/index.ts'
import { createRunQueue } from '../../src/run-queue.ts'

test('a run’s queue keeps its outcomes for as long as SQS keeps any message', async () => {
  const aws = await startAws()
  const sqs = new SQSClient({ endpoint: aws.url, region: aws.region, credentials: aws.credentials })
  const QueueUrl = await createRunQueue(sqs, 's3-71-run-20260102-030405-1a2b3c4d')
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))
  sqs.destroy()
  await aws.stop()
  expect(Attributes).toMatchObject({ MessageRetentionPeriod: '1209600' })
})
