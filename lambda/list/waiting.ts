import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** How long it may take to learn how many messages wait: a hint that comes late is none. */
const WAITING_MS = 1_000

/** About how many messages of a queue wait to be received; counts lag. Undefined when SQS does not say so in time. */
export async function waitingIn(queueUrl: string, sqs: SQSClient): Promise<number | undefined> {
  const name = 'ApproximateNumberOfMessages'
  try {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [name] }),
      { abortSignal: AbortSignal.timeout(WAITING_MS) },
    )
    const count = Number(Attributes?.[name])
    return Number.isInteger(count) ? count : undefined
  } catch {
    return undefined
  }
}
