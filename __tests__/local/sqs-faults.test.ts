import {
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { type Aws, startAws } from '../../local/index.ts'
import type { SqsCall, SqsFault } from '../../local/sqs.ts'
import { counts, createQueue } from './support.ts'

let aws: Aws
let sqs: SQSClient
let intercept: (call: SqsCall) => SqsFault | undefined
let deliver: (queue: string) => number[]
let number = 0

beforeAll(async () => {
  aws = await startAws({ sqs: { intercept: (call) => intercept(call), deliver: (queue) => deliver(queue) } })
  const config = { endpoint: aws.url, region: aws.region, credentials: aws.credentials, maxAttempts: 1 }
  sqs = new SQSClient(config)
})
beforeEach(() => {
  intercept = () => undefined
  deliver = () => [0]
})
afterAll(async () => {
  sqs.destroy()
  await aws.stop()
})

const newQueue = () => createQueue(sqs, `faulty-${++number}`, {})

async function bodies(QueueUrl: string): Promise<(string | undefined)[]> {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 })
  const { Messages = [] } = await sqs.send(command)
  return Messages.map(({ Body }) => Body)
}

test('an error is answered under its code, and the work not done', async () => {
  const { url } = await newQueue()
  intercept = ({ action }) =>
    action === 'SendMessage' ? { kind: 'error', code: 'RequestThrottled', status: 400 } : undefined
  const sent = sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'a' }))
  await expect(sent).rejects.toMatchObject({ name: 'RequestThrottled' })
  expect(await bodies(url)).toEqual([])
})

test('entries of a batch come back as failed, while the others are taken', async () => {
  const { url } = await newQueue()
  const calls: SqsCall[] = []
  intercept = (call) => {
    calls.push(call)
    return call.action === 'SendMessageBatch' ? { kind: 'refused', entries: [1] } : undefined
  }
  const Entries = ['a', 'b', 'c'].map((MessageBody) => ({ Id: MessageBody, MessageBody }))
  const { Successful, Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }))
  expect(calls).toEqual([{ action: 'SendMessageBatch', queue: `faulty-${number}`, entries: 3 }])
  expect(Successful?.map(({ Id }) => Id)).toEqual(['a', 'c'])
  expect(Failed).toEqual([{ Id: 'b', SenderFault: false, Code: 'InternalError' }])
  expect((await bodies(url)).toSorted()).toEqual(['a', 'c'])
})

test('all entries of a batch may fail', async () => {
  const { url } = await newQueue()
  intercept = () => ({ kind: 'refused', entries: [0] })
  const Entries = [{ Id: '0', ReceiptHandle: 'x' }]
  const { Failed } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }))
  expect(Failed?.map(({ Id }) => Id)).toEqual(['0'])
})

test('stale counts say that there is nothing', async () => {
  const queue = await newQueue()
  await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'a' }))
  expect(await counts(sqs, queue)).toEqual({ visible: 1, hidden: 0 })
  intercept = () => ({ kind: 'stale' })
  expect(await counts(sqs, queue)).toEqual({ visible: 0, hidden: 0 })
})

test('a message comes as often, and as late, as it is told', async () => {
  const { url } = await newQueue()
  deliver = () => [0, 0, 60_000]
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'a' }))
  expect(await bodies(url)).toEqual(['a', 'a'])
})
