import { setTimeout as delay } from 'node:timers/promises'
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { zipSync } from 'fflate'
import type { Aws } from '../../local/index.ts'
import type { FunctionSettings } from '../../local/lambda/index.ts'

/** Generous, for a machine that is busy with other things. */
const PATIENCE_MS = 30_000

/** Waits until something is so, and gives it. Throws with `what` when it takes too long. */
export async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = Date.now() + PATIENCE_MS
  while (Date.now() < end) {
    const seen = await look()
    if (seen) return seen
    await delay(20)
  }
  throw new Error(`waited in vain until ${what}`)
}

/** A function's code: its one module, index.mjs. */
export function zipOf(source: string): Uint8Array {
  return zipSync({ 'index.mjs': new TextEncoder().encode(source) })
}

/** Puts a function whose module is `source` into the embedded Lambda. */
export async function putFunction(
  aws: Aws,
  name: string,
  source: string,
  settings: Partial<FunctionSettings> = {},
): Promise<void> {
  await aws.lambda.put(
    {
      name,
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      role: 'arn:aws:iam::000000000000:role/test',
      timeout: 10,
      memorySize: 128,
      environment: {},
      recursiveLoop: 'Terminate',
      ...settings,
    },
    zipOf(source),
  )
}

export type TestQueue = { url: string; arn: string }

/** Creates a queue that hides messages for as long as the functions here may run at most, unless it is told otherwise. */
export async function createQueue(
  sqs: SQSClient,
  name: string,
  attributes: Record<string, string> = {},
): Promise<TestQueue> {
  const { QueueUrl: url = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: '10', ...attributes } }),
  )
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  )
  return { url, arn: Attributes?.QueueArn ?? '' }
}

export function redriveTo(deadLetters: TestQueue, maxReceiveCount: number): Record<string, string> {
  return { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount }) }
}

type Counts = { visible: number; hidden: number }

export async function counts(sqs: SQSClient, { url }: TestQueue): Promise<Counts> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  )
  return {
    visible: Number(Attributes?.ApproximateNumberOfMessages),
    hidden: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
  }
}

/** Lets the visibility timeout of a queue's hidden messages pass, without waiting for it. */
export function showHidden(aws: Aws, { arn }: TestQueue): void {
  const queue = aws.queues.getQueueByArn(arn)
  for (const handle of [...(queue?.inflightMessages.keys() ?? [])]) queue?.changeVisibility(handle, 0)
}

/** The lines of a function's log that are JSON objects, which the handlers here write. */
export function notes(aws: Aws, name: string): Array<Record<string, unknown>> {
  return aws.lambda
    .logs(name)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
