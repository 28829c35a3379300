import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { type Aws, startAws } from '../../local/index.ts'
import { decodeOutcome, type Outcome } from '../../protocol/outcome.ts'
import type { Run } from '../../protocol/run.ts'
import { encodeTask, type Task } from '../../protocol/task.ts'
import { Child } from '../child.ts'
import type { Invocation, Started } from './process.ts'

const FUNCTIONS = join(import.meta.dirname, '..', '..', 'dist', 'functions')
const OBJECTS = 100_000
/** Of each object. */
export const BODY = 'x'.repeat(1_000)

/** S3's own latencies, about. SQS answers as fast as it can. */
export const COPY_MS = 100
export const LIST_MS = 80
const LATENCY_MS: Record<string, number> = { CopyObject: COPY_MS, ListObjectsV2: LIST_MS }

export const MEMORY_NOTE =
  "The heap has the limits that Lambda sets for the memory size. Lambda's share of a CPU is not imitated. RSS includes what is " +
  'mapped from files, above all Node.js itself. Only the anonymous part must stay in memory when that is short.'

type Kind = 'list' | 'copy'

/** The embedded AWS with a source full of objects, and the queues of a run without the rest of the stack. */
export class Rig {
  readonly aws: Aws
  readonly run: Run
  readonly keys: string[]
  readonly #sqs: SQSClient
  readonly #queues: Record<Kind | 'run', string>

  private constructor(aws: Aws, sqs: SQSClient, queues: Record<Kind | 'run', string>, keys: string[]) {
    this.aws = aws
    this.#sqs = sqs
    this.#queues = queues
    this.keys = keys
    const place = (bucket: string) => ({ bucket, prefix: '' })
    this.run = {
      id: 'bench',
      queue: queues.run,
      source: place('source'),
      destination: place('destination'),
      batchSize: 250,
    }
  }

  static async start(objects = OBJECTS): Promise<Rig> {
    const intercept = async ({ operation }: { operation: string }) => {
      await delay(LATENCY_MS[operation] ?? 0)
      return undefined
    }
    const aws = await startAws({ s3: { intercept } })
    const keys = Array.from({ length: objects }, (_, n) => `data/2026/01/part-${n}.parquet`)
    for (const bucket of ['source', 'destination']) aws.s3.store.createBucket(bucket)
    aws.s3.store.load('source', keys, BODY)
    const sqs = new SQSClient({ endpoint: aws.url, region: aws.region, credentials: aws.credentials })
    const queue = async (name: string) =>
      (await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl ?? ''
    const queues = { list: await queue('list'), copy: await queue('copy'), run: await queue('run') }
    return new Rig(aws, sqs, queues, keys)
  }

  async stop(): Promise<void> {
    this.#sqs.destroy()
    await this.aws.stop()
  }

  async send(task: Task): Promise<void> {
    await this.#sqs.send(
      new SendMessageCommand({ QueueUrl: this.#queues[task.kind], MessageBody: encodeTask(task) }),
    )
  }

  /** Older peers send an ACL with each copy, so the bucket takes them. */
  emptyDestination(): void {
    this.aws.s3.store.createBucket('destination', { ownership: 'ObjectWriter' })
  }

  /** Throws unless the destination holds so many objects. */
  expectInDestination(objects: number): void {
    const { size } = this.aws.s3.store.bucket('destination').objects
    if (size !== objects) throw new Error(`the destination holds ${size} objects instead of ${objects}`)
  }

  /** Empties a queue. */
  async forget(kind: Kind | 'run'): Promise<void> {
    await this.#sqs.send(new PurgeQueueCommand({ QueueUrl: this.#queues[kind] }))
  }

  /** Takes the messages of a queue, until it is empty. */
  async *#messages(queueUrl: string): AsyncGenerator<{ body: string; receiptHandle: string }> {
    for (;;) {
      const { Messages } = await this.#sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }))
      const message = Messages?.[0]
      if (message === undefined) return
      const { Body: body = '', ReceiptHandle: receiptHandle = '' } = message
      yield { body, receiptHandle }
      await this.#sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receiptHandle }))
    }
  }

  /** What the tasks have come to since the last time. */
  async outcomes(): Promise<Outcome[]> {
    const outcomes: Outcome[] = []
    for await (const { body } of this.#messages(this.run.queue)) outcomes.push(decodeOutcome(body))
    return outcomes
  }

  /** Runs a function of so much memory (MB), in a process with Lambda's limits for the heap. */
  async function(kind: Kind, memory: number, env: Record<string, string> = {}): Promise<FunctionProcess> {
    const child = new Child(join(import.meta.dirname, 'process.ts'), [join(FUNCTIONS, kind, 'index.mjs')], {
      env: {
        ...this.aws.env,
        PATH: process.env.PATH,
        LIST_QUEUE_URL: this.#queues.list,
        COPY_QUEUE_URL: this.#queues.copy,
        ...env,
      },
      execArgv: [
        `--max-old-space-size=${Math.floor(memory * 0.9)}`,
        `--max-semi-space-size=${Math.floor(memory * 0.05)}`,
      ],
    })
    const { cpuMs } = await child.hear<Started>()
    return {
      startCpuMs: cpuMs,
      work: async () => {
        const invocations: Invocation[] = []
        for await (const { body, receiptHandle } of this.#messages(this.#queues[kind])) {
          const invocation = await child.ask<Invocation>(eventOf(body, receiptHandle))
          if (invocation.failures > 0) throw new Error(`a ${kind} task failed`)
          invocations.push(invocation)
        }
        return invocations
      },
      stop: () => child.stop(),
    }
  }
}

type FunctionProcess = {
  /** CPU time until it could begin, in milliseconds. */
  startCpuMs: number
  /** Works on what its queue holds, one message after another, until the queue is empty. Throws when a task fails or the process ends. */
  work: () => Promise<Invocation[]>
  stop: () => Promise<void>
}

function eventOf(body: string, receiptHandle: string): object {
  return {
    Records: [
      {
        messageId: '0',
        receiptHandle,
        body,
        attributes: { ApproximateReceiveCount: '1' },
        messageAttributes: {},
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:bench',
        awsRegion: 'us-east-1',
      },
    ],
  }
}
