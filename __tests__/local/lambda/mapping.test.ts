import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import { ReceiveMessageCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Aws, startAws } from '../../../local/index.ts'
import type { FunctionSettings, MappingSettings } from '../../../local/lambda/index.ts'
import {
  counts,
  createQueue,
  isRunning,
  notes,
  putFunction,
  redriveTo,
  showHidden,
  type TestQueue,
  until,
} from '../support.ts'

let aws: Aws
let lambda: LambdaClient
let sqs: SQSClient
let queue: TestQueue
let deadLetters: TestQueue
/** A name for the function and the queues of each test. */
let name: string
let number = 0

beforeAll(async () => {
  aws = await startAws()
  const config = { endpoint: aws.url, region: aws.region, credentials: aws.credentials }
  lambda = new LambdaClient(config)
  sqs = new SQSClient(config)
})
beforeEach(async () => {
  name = `test-${++number}`
  deadLetters = await createQueue(sqs, `${name}-dead`)
  queue = await createQueue(sqs, name, redriveTo(deadLetters, 2))
})
afterAll(async () => {
  lambda.destroy()
  sqs.destroy()
  await aws.stop()
})

const NOTE = `const note = (what) => console.log(JSON.stringify(what))
const bodies = ({ Records }) => Records.map(({ body }) => body)
`

/** Deploys a handler, maps the queue to it, and waits until the mapping polls. */
async function map(
  handler: string,
  settings: Partial<MappingSettings> = {},
  functionSettings: Partial<FunctionSettings> = {},
): Promise<string> {
  await putFunction(aws, name, NOTE + handler, functionSettings)
  const mapping = aws.lambda.map({
    queueArn: queue.arn,
    functionName: name,
    enabled: true,
    batchSize: 1,
    reportBatchItemFailures: true,
    ...settings,
  })
  await mapping.settled
  return mapping.id
}

async function send(...bodies: string[]): Promise<void> {
  const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }))
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
}

async function untilEmpty(): Promise<void> {
  await until('the queue is empty', async () => {
    const { visible, hidden } = await counts(sqs, queue)
    return visible + hidden === 0
  })
}

/** Waits until the one message of the queue is hidden with nobody at work on it, and shows it again. */
async function untilFailed(): Promise<void> {
  await until('an invocation has failed', async () => {
    const { hidden } = await counts(sqs, queue)
    return hidden === 1 && aws.lambda.pids(name).busy.length === 0
  })
  showHidden(aws, queue)
}

async function enable(id: string, enabled: boolean): Promise<void> {
  const { State } = await lambda.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: enabled }))
  expect(State).toBe(enabled ? 'Enabling' : 'Disabling')
  const settled = enabled ? 'Enabled' : 'Disabled'
  await until(`the mapping is ${settled}`, async () => {
    const mapping = await lambda.send(new GetEventSourceMappingCommand({ UUID: id }))
    return mapping.State === settled
  })
}

test('delivers messages as events and deletes them', async () => {
  await map(`export const handler = async (event) => note(event)`)
  await send('hello')
  await untilEmpty()
  const event = await until('the event is in the log', () => notes(aws, name)[0])
  expect(event).toEqual({
    Records: [
      {
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        receiptHandle: expect.any(String),
        body: 'hello',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
        },
        messageAttributes: {},
        md5OfBody: '5d41402abc4b2a76b9719d911017c592',
        eventSource: 'aws:sqs',
        eventSourceARN: queue.arn,
        awsRegion: aws.region,
      },
    ],
  })
})

test('fills a batch, and repeats only the messages that are named as failed', async () => {
  const id = await map(
    `export const handler = async (event) => {
       note({ bodies: bodies(event) })
       const failed = event.Records.filter(({ body, attributes }) =>
         body === 'bad' && attributes.ApproximateReceiveCount === '1')
       return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
     }`,
    { batchSize: 3, enabled: false },
  )
  await send('good 1', 'bad', 'good 2')
  await enable(id, true)
  await untilFailed()
  await untilEmpty()
  await until('both batches are in the log', () => notes(aws, name).length === 2)
  expect(notes(aws, name)).toEqual([{ bodies: ['good 1', 'bad', 'good 2'] }, { bodies: ['bad'] }])
})

test('without ReportBatchItemFailures the answer does not matter', async () => {
  await map(
    `export const handler = async ({ Records: [{ messageId }] }) =>
       ({ batchItemFailures: [{ itemIdentifier: messageId }] })`,
    { reportBatchItemFailures: false },
  )
  await send('only')
  await untilEmpty()
  expect(await counts(sqs, deadLetters)).toEqual({ visible: 0, hidden: 0 })
})

describe('a message whose function', () => {
  test.each([
    ['throws', `throw new Error('no')`],
    ['answers what makes no sense', `return { batchItemFailures: [{ itemIdentifier: '' }] }`],
    ['exits', `process.exit(1)`],
    ['runs out of memory', `const kept = []; for (;;) kept.push(new Array(10_000).fill({}))`],
  ])('%s is tried again, and goes to the dead-letter queue after maxReceiveCount', async (_, work) => {
    await map(
      `export const handler = async ({ Records: [{ attributes }] }) => {
         note({ receives: attributes.ApproximateReceiveCount }); ${work}
       }`,
    )
    await send('poison')
    await untilFailed()
    await untilFailed()
    await untilEmpty()
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetters.url }))
    expect(Messages?.map(({ Body }) => Body)).toEqual(['poison'])
    expect(notes(aws, name)).toEqual([{ receives: '1' }, { receives: '2' }])
  })

  test('is killed at its timeout is tried again when the queue shows it again', async () => {
    queue = await createQueue(sqs, `${name}-short`, { VisibilityTimeout: '1', ...redriveTo(deadLetters, 2) })
    await map(
      `export const handler = ({ Records: [{ attributes }] }) => {
         note({ pid: process.pid, receives: attributes.ApproximateReceiveCount })
         return new Promise(() => {})
       }`,
      {},
      { timeout: 1 },
    )
    await send('hangs')
    await until('it is in the dead-letter queue', async () => (await counts(sqs, deadLetters)).visible === 1)
    const seen = notes(aws, name)
    expect(seen.map(({ receives }) => receives)).toEqual(['1', '2'])
    await until('both processes are gone', () => !seen.some(({ pid }) => isRunning(pid as number)))
  })

  test('is killed from outside is tried again', async () => {
    await map(
      `export const handler = async ({ Records: [{ attributes }] }) => {
         if (attributes.ApproximateReceiveCount === '1') await new Promise(() => {})
         note({ receives: attributes.ApproximateReceiveCount })
       }`,
    )
    await send('half-way')
    const [pid = 0] = await until('it is at work', () => {
      const { busy } = aws.lambda.pids(name)
      return busy.length === 1 ? busy : undefined
    })
    process.kill(pid, 'SIGKILL')
    await untilFailed()
    await untilEmpty()
    await until('the second try is in the log', () => notes(aws, name).length === 1)
    expect(notes(aws, name)).toEqual([{ receives: '2' }])
  })
})

test('keeps to the maximum concurrency', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-'))
  const gate = join(folder, 'open')
  await map(
    `import { existsSync } from 'node:fs'
     import { setTimeout as sleep } from 'node:timers/promises'
     export const handler = async () => {
       const from = Date.now()
       while (!existsSync(process.env.GATE)) await sleep(5)
       note({ from, to: Date.now() })
     }`,
    { maximumConcurrency: 2 },
    { environment: { GATE: gate } },
  )
  await send('1', '2', '3', '4', '5', '6')
  await until('two are at work', () => aws.lambda.pids(name).busy.length === 2)
  expect(await counts(sqs, queue)).toEqual({ visible: 4, hidden: 2 })
  expect(existsSync(gate)).toBe(false)
  writeFileSync(gate, '')
  await untilEmpty()
  await until('all are in the log', () => notes(aws, name).length === 6)
  const spans = notes(aws, name) as Array<{ from: number; to: number }>
  const overlapping = spans.map(
    ({ from: at }) => spans.filter(({ from, to }) => from <= at && at < to).length,
  )
  expect(Math.max(...overlapping)).toBeLessThanOrEqual(2)
  rmSync(folder, { recursive: true })
})

describe('a function that sends itself messages', () => {
  const LOOP = `
    import { SendMessageCommand, SQSClient } from '${import.meta.resolve('@aws-sdk/client-sqs')}'
    const sqs = new SQSClient({})
    export const handler = async ({ Records: [{ body }] }) => {
      note({ hop: Number(body) })
      if (Number(body) === 20) return
      const MessageBody = String(Number(body) + 1)
      await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody }))
    }`

  test('is stopped after 16 hops, and the message goes to the dead-letter queue', async () => {
    await map(LOOP, {}, { environment: { QUEUE_URL: queue.url } })
    await send('1')
    // A message that is shown again while its function works may be handed out twice, and end among the dead letters too.
    const hops = () => [...new Set(notes(aws, name).map((note) => (note as { hop: number }).hop))]
    await until('16 hops are done', () => hops().length === 16)
    const dead: string[] = []
    await until('the next one is in the dead-letter queue', async () => {
      showHidden(aws, queue)
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: deadLetters.url }))
      dead.push(...Messages.map(({ Body = '' }) => Body))
      return dead.includes('17')
    })
    expect(Math.max(...hops())).toBe(16)
    expect(Math.max(...dead.map(Number))).toBe(17)
  })

  test('goes on with RecursiveLoop: Allow', async () => {
    await map(LOOP, {}, { environment: { QUEUE_URL: queue.url }, recursiveLoop: 'Allow' })
    await send('1')
    await until('20 hops are done', () => notes(aws, name).length === 20)
    await untilEmpty()
    expect(await counts(sqs, deadLetters)).toEqual({ visible: 0, hidden: 0 })
  })
})

describe('a disabled mapping', () => {
  test('leaves the queue alone until it is enabled', async () => {
    const id = await map(`export const handler = async (event) => note({ bodies: bodies(event) })`)
    await enable(id, false)
    await send('later')
    // A message that was sent afterwards, through another mapping, is the proof that time has passed.
    const paused = { name, queue }
    name = `${name}-barrier`
    queue = await createQueue(sqs, name)
    await map(`export const handler = async (event) => note({ bodies: bodies(event) })`)
    await send('barrier')
    await untilEmpty()
    ;({ name, queue } = paused)
    expect(await counts(sqs, queue)).toEqual({ visible: 1, hidden: 0 })
    await enable(id, true)
    await untilEmpty()
    await until('it is in the log', () => notes(aws, name).length === 1)
    expect(notes(aws, name)).toEqual([{ bodies: ['later'] }])
  })

  test('cannot be changed while it is between two states', async () => {
    const id = await map(`export const handler = async () => {}`)
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: false }))
    await expect(
      lambda.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: true })),
    ).rejects.toMatchObject({ name: 'ResourceInUseException' })
  })
})

test('is found by its function and by its queue', async () => {
  const id = await map(`export const handler = async () => {}`, { maximumConcurrency: 7 })
  const byFunction = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: name }))
  const byQueue = await lambda.send(new ListEventSourceMappingsCommand({ EventSourceArn: queue.arn }))
  expect(byFunction.EventSourceMappings).toEqual(byQueue.EventSourceMappings)
  expect(byFunction.EventSourceMappings).toEqual([
    expect.objectContaining({
      UUID: id,
      State: 'Enabled',
      BatchSize: 1,
      EventSourceArn: queue.arn,
      FunctionArn: aws.lambda.get(name).arn,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 7 },
    }),
  ])
})

test.each([
  [
    'whose queue hides messages for less than the timeout',
    {},
    { timeout: 11 },
    /10 seconds is less than.*11 seconds/,
  ],
  ['with a batch above 10', { batchSize: 11 }, {}, /BatchSize/],
  ['with a concurrency below 2', { maximumConcurrency: 1 }, {}, /MaximumConcurrency/],
  ['from a queue that is missing', { queueArn: 'arn:aws:sqs:us-east-1:000000000000:gone' }, {}, /gone/],
])('a mapping %s is refused', async (_, settings, functionSettings, message) => {
  await expect(map(`export const handler = async () => {}`, settings, functionSettings)).rejects.toThrow(
    message,
  )
})
