import { CreateQueueCommand, DeleteQueueCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { isQueueGone } from '../aws/queue.ts'
import { Sender } from '../aws/sender.ts'
import { SEED_FAMILY, taskId } from '../protocol/ids.ts'
import type { Part } from '../protocol/part.ts'
import type { Run } from '../protocol/run.ts'
import { encodeTask, newListTask } from '../protocol/task.ts'
import type { Timing } from '../protocol/timing.ts'
import type { Inputs } from './inputs.ts'

/** SQS keeps a message for 14 days at most (SQS API reference, CreateQueue); outcomes wait there for their reader. */
const RETENTION_SECONDS = 14 * 24 * 3600
/** A new queue can be used one second after it was created (SQS API reference, CreateQueue). */
export const NEW_QUEUE_MS = 1_000

/** Creates the run's own queue, for its outcomes. While it exists the run goes on. It can be used after {@link NEW_QUEUE_MS}. */
export async function createRunQueue(sqs: SQSClient, name: string): Promise<string> {
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: { MessageRetentionPeriod: String(RETENTION_SECONDS), SqsManagedSseEnabled: 'true' },
    }),
  )
  if (!QueueUrl) throw new Error(`SQS created the queue ${name} but named no URL`)
  return QueueUrl
}

/** Deletes the run's queue, which stops the run: workers drop the tasks of a run whose queue is gone. */
export async function deleteRunQueue(sqs: SQSClient, queueUrl: string): Promise<void> {
  try {
    await sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }))
  } catch (error) {
    if (!isQueueGone(error)) throw error
  }
}

/**
 * The parts that a run begins with: together they hold every key that it is to copy, once. One part with open ends is
 * all keys of all alphabets; list tasks cut it where keys really are. Cutting it beforehand, at each character that a key may
 * begin with, would cost a request for each that none begins with, and still leave all keys in one part where they
 * begin alike.
 */
export function seeds({ source, prefixes }: Pick<Inputs, 'source' | 'prefixes'>): Part[] {
  const beginnings = prefixes.length === 0 ? [''] : prefixes
  return beginnings.map((beginning) => ({ prefix: source.prefix + beginning, ranges: [{}] }))
}

/** Sends the first list tasks, one for each part. */
export async function seed(
  sqs: SQSClient,
  listQueueUrl: string,
  run: Run,
  parts: Part[],
  timing: Timing,
): Promise<void> {
  const sender = new Sender(sqs, listQueueUrl, run.id, timing)
  for (const [index, part] of parts.entries())
    await sender.send(encodeTask(newListTask(taskId(SEED_FAMILY, index), run, part)))
  await sender.flush()
}
