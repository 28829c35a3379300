import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitingIn } from '../../aws/queue.ts'
import { type Aws, startAws } from '../../local/index.ts'
import { createQueue } from '../local/support.ts'

let aws: Aws
let sqs: SQSClient

beforeAll(async () => {
  aws = await startAws()
  sqs = new SQSClient({ endpoint: aws.url, region: aws.region, credentials: aws.credentials })
})
afterAll(async () => {
  sqs.destroy()
  await aws.stop()
})

test('messages that wait are counted, not those that are held back', async () => {
  const { url } = await createQueue(sqs, 'depth', {})
  expect(await waitingIn(url, sqs)).toBe(0)
  for (const DelaySeconds of [0, 0, 900])
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x', DelaySeconds }))
  expect(await waitingIn(url, sqs)).toBe(2)
})

test('how many wait in a queue that SQS says nothing of is not known, and no error', async () => {
  const { url } = await createQueue(sqs, 'known', {})
  expect(await waitingIn(url.replace('known', 'unknown'), sqs)).toBeUndefined()
  const silent = { send: async () => ({}) } as unknown as SQSClient
  expect(await waitingIn(url, silent)).toBeUndefined()
})
