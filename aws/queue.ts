import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** Whether an SQS call failed because its queue does not exist; SQS names it in two ways, by protocol. */
export function isQueueGone(error: unknown): boolean {
  const name = (error as Error | undefined)?.name
  return name === 'QueueDoesNotExist' || name === 'AWS.SimpleQueueService.NonExistentQueue'
}

/**
 * Whether a queue exists; for a run queue, whether its run is going on. Up to a minute after it was deleted the answer may
 * still be yes (SQS API reference, DeleteQueue). Throws when SQS can't be asked.
 */
export async function queueExists(sqs: SQSClient, queueUrl: string): Promise<boolean> {
  try {
    await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }))
    return true
  } catch (error) {
    if (isQueueGone(error)) return false
    throw error
  }
}

/**
 * Tries of each SQS call, the first included; between them the SDK backs off, up to 20 s. Its own 3 are soon used up when
 * SQS throttles, and one call that fails for good costs a worker its task's attempt, and the action its run.
 */
export const SQS_ATTEMPTS = 10
