import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { isQueueGone } from '../../aws/queue.ts'
import { waitingIn } from '../../lambda/list/waiting.ts'
import { type Aws, startAws } from '../../local/index.ts'
import { counts, createQueue, type TestQueue, until } from './support.ts'

let aws: Aws
let sqs: SQSClient
let queue: TestQueue
let number = 0

beforeAll(async () => {
  aws = await startAws()
  sqs = new SQSClient({ endpoint: aws.url, region: aws.region, credentials: aws.credentials })
})
afterAll(async () => {
  sqs.destroy()
  await aws.stop()
})

async function newQueue(attributes: Record<string, string> = {}): Promise<TestQueue> {
  queue = await createQueue(sqs, `queue-${++number}`, attributes)
  return queue
}

async function receive(): Promise<{
  body: string | undefined
  handle: string | undefined
  count: string | undefined
}> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queue.url,
      WaitTimeSeconds: 5,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    }),
  )
  const [message] = Messages
  return {
    body: message?.Body,
    handle: message?.ReceiptHandle,
    count: message?.Attributes?.ApproximateReceiveCount,
  }
}

test('a queue URL leads to the endpoint that was asked', async () => {
  const { url } = await newQueue()
  expect(url).toBe(`${aws.url}/000000000000/queue-${number}`)
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: `queue-${number}` }))
  expect(QueueUrl).toBe(url)
})

describe('a batch', () => {
  test('is taken but for the messages that SQS cannot hold', async () => {
    await newQueue()
    const { Successful, Failed } = await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: [
          { Id: 'good', MessageBody: 'fine' },
          { Id: 'bad', MessageBody: 'not \uFFFF fine' },
        ],
      }),
    )
    expect(Successful?.map(({ Id }) => Id)).toEqual(['good'])
    expect(Failed).toEqual([
      expect.objectContaining({ Id: 'bad', Code: 'InvalidMessageContents', SenderFault: true }),
    ])
    expect(await counts(sqs, queue)).toEqual({ visible: 1, hidden: 0 })
  })

  test.each([
    ['more than 10 messages', 11, 1, 'TooManyEntriesInBatchRequest'],
    ['more than 1 MiB in all', 10, 110_000, 'BatchRequestTooLong'],
  ])('with %s is refused', async (_, messages, size, name) => {
    await newQueue()
    const Entries = Array.from({ length: messages }, (_, i) => ({
      Id: String(i),
      MessageBody: 'x'.repeat(size),
    }))
    await expect(
      sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries })),
    ).rejects.toMatchObject({ name: expect.stringContaining(name) })
  })
})

describe('a message', () => {
  test('comes back when its visibility timeout is over, with the next receive count', async () => {
    await newQueue({ VisibilityTimeout: '1' })
    await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'again' }))
    expect(await receive()).toMatchObject({ body: 'again', count: '1' })
    expect(await receive()).toMatchObject({ body: 'again', count: '2' })
  })

  test('is counted as visible again without anybody receiving', async () => {
    await newQueue({ VisibilityTimeout: '1' })
    await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'seen' }))
    await receive()
    expect(await counts(sqs, queue)).toEqual({ visible: 0, hidden: 1 })
    await until('it is visible', async () => (await counts(sqs, queue)).visible === 1)
  })

  test('is shown at once when its visibility is set to 0, and its old handle is worth nothing', async () => {
    await newQueue()
    await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'released' }))
    const { handle } = await receive()
    const release = new ChangeMessageVisibilityCommand({
      QueueUrl: queue.url,
      ReceiptHandle: handle,
      VisibilityTimeout: 0,
    })
    await sqs.send(release)
    expect(await counts(sqs, queue)).toEqual({ visible: 1, hidden: 0 })
    await expect(sqs.send(release)).rejects.toMatchObject({
      name: expect.stringContaining('MessageNotInflight'),
    })
    const { handle: second } = await receive()
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle: second }))
    expect(await counts(sqs, queue)).toEqual({ visible: 0, hidden: 0 })
  })
})

describe('the messages that wait', () => {
  test('are counted, but for those that are held back', async () => {
    const { url } = await newQueue()
    expect(await waitingIn(url, sqs)).toBe(0)
    for (const DelaySeconds of [0, 0, 900])
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x', DelaySeconds }))
    expect(await waitingIn(url, sqs)).toBe(2)
  })

  test('in a queue that SQS says nothing of are not known to be any number, which is no error', async () => {
    const { url } = await newQueue()
    expect(await waitingIn(url.replace('queue-', 'unknown-'), sqs)).toBeUndefined()
    const silent = { send: async () => ({}) } as unknown as SQSClient
    expect(await waitingIn(url, silent)).toBeUndefined()
  })
})

describe('a deleted queue', () => {
  test('is gone for every call', async () => {
    await newQueue()
    await sqs.send(new DeleteQueueCommand({ QueueUrl: queue.url }))
    const error = await sqs
      .send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'x' }))
      .catch((error: unknown) => error)
    expect(isQueueGone(error)).toBe(true)
    await expect(counts(sqs, queue)).rejects.toThrow(/does not exist/)
  })

  test('keeps its name taken for a minute', async () => {
    await newQueue()
    await sqs.send(new DeleteQueueCommand({ QueueUrl: queue.url }))
    await expect(sqs.send(new CreateQueueCommand({ QueueName: `queue-${number}` }))).rejects.toMatchObject({
      name: expect.stringContaining('QueueDeletedRecently'),
    })
  })
})
