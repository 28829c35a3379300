import { join } from 'node:path'
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { ListQueuesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { startAws } from '../../local/index.ts'
import { toText } from '../../local/s3/bytes.ts'
import type { Fault, Intercepted, OperationName } from '../../local/s3/index.ts'
import type { SqsFaults } from '../../local/sqs.ts'
import { isDrained, readDepths } from '../../src/depths.ts'
import { type DeadLetter, look } from '../../src/dlq.ts'
import { describeStack, readOutputs } from '../../src/stack/outputs.ts'

const ROOT = join(import.meta.dirname, '..', '..')
export const STACK = 's3-71-test'
/** Inputs of a run on it that are the same in most tests. */
export const ON_STACK = {
  'stack-name': STACK,
  deploy: 'never',
  'after-run': 'keep',
  'poll-interval': '1',
  timeout: '4',
}

/** The embedded AWS with the stack of template.yaml on it, made for runs between these buckets, and what tests do with it. */
export async function startStack(buckets: string[], sqsFaults: SqsFaults = {}) {
  let intercept: (request: Intercepted) => Fault | undefined | Promise<Fault | undefined> = () => undefined
  const aws = await startAws({ s3: { intercept: (request) => intercept(request) }, sqs: sqsFaults })
  const client = { endpoint: aws.url, region: aws.region, credentials: aws.credentials }
  const sqs = new SQSClient(client)
  const arns = buckets.map((name) => `arn:aws:s3:::${name}`).join(',')
  await aws.deploy({
    stackName: STACK,
    template: join(ROOT, 'template.yaml'),
    parameters: {
      SourceBucketArns: arns,
      DestinationBucketArns: arns,
      CopyMaxConcurrency: '3',
      ListMaxConcurrency: '2',
    },
  })
  const deployed = await describeStack(new CloudFormationClient(client), STACK)
  if (!deployed) throw new Error(`the stack ${STACK} was deployed but is not there`)
  const stack = readOutputs(deployed)
  const functions = { list: stack.listFunctionName, copy: stack.copyFunctionName }
  const { store } = aws.s3
  return {
    env: aws.env,
    sqs,
    stack,
    store,
    /** Decides what becomes of requests to S3 from now on. */
    intercept(decide: typeof intercept): void {
      intercept = decide
    },
    /** Lets S3 answer so many requests of a kind to a bucket, and holds back the others until released. */
    hold(operation: OperationName, bucket: string, answered = 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      let seen = 0
      intercept = async (request) => {
        if (request.operation === operation && request.bucket === bucket && ++seen > answered) await promise
        return undefined
      }
      return { isHolding: () => seen > answered, release: resolve }
    },
    /** Creates a bucket with an object for each key; the body tells the key. */
    bucket(name: string, keys: string[] = []): void {
      store.createBucket(name)
      for (const key of keys) store.put(name, key, `body of ${key}`)
    },
    /** Keys of a bucket, in S3's order. */
    keys: (bucket: string): string[] => [...store.bucket(bucket).objects.keys()].map(toText),
    /** Process ids of a function's instances that are at work. */
    busy: (kind: 'list' | 'copy'): number[] => aws.lambda.pids(functions[kind]).busy,
    logs: (kind: 'list' | 'copy'): readonly string[] => aws.lambda.logs(functions[kind]),
    /** URLs of the run queues that exist. */
    async runQueues(): Promise<string[]> {
      const { QueueUrls = [] } = await sqs.send(
        new ListQueuesCommand({ QueueNamePrefix: stack.runQueuePrefix }),
      )
      return QueueUrls
    },
    async deadLetters(): Promise<DeadLetter[]> {
      const letters: DeadLetter[] = []
      await look(sqs, stack.deadLetterQueueUrl, new AbortController().signal, async (letter) => {
        letters.push(letter)
        return 'keep'
      })
      return letters
    },
    drained: async (): Promise<boolean> => isDrained(await readDepths(sqs, stack)),
    async stop(): Promise<void> {
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
