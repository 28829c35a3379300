import { CreateQueueCommand, DeleteQueueCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { isQueueGone } from '../aws/queue.ts'

/** SQS keeps a message for 14 days at most (SQS API reference, CreateQueue); outcomes wait there for their reader. */
const RETENTION_SECONDS = 14 * 24 * 3600
/** A new queue can be used one second after it was created (SQS API reference, CreateQueue). */
export const NEW_QUEUE_MS = 1_000

/** The URL of a queue beside another one, as SQS will give it: it ends with the name (SQS developer guide, queue and message identifiers). */
export function siblingUrl(queueUrl: string, name: string): string {
  return queueUrl.replace(/[^/]*$/, name)
}

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
