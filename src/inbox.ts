import {
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'

/** SQS hands out 10 messages at once, and waits 20 s for the first of them, at most (SQS API reference, ReceiveMessage). */
export const BATCH = 10
export const LONGEST_WAIT_SECONDS = 20
/** Longer than outcomes wait for their checkpoint; after a crash they come again when it is over. */
const VISIBILITY_SECONDS = 60
/** Receivers at once while messages keep coming. */
const PARALLEL = 8

/** What was said, and takes it off the queue once it has been dealt with. */
export type Delivery = {
  bodies: string[]
  /** When the latest was sent; milliseconds since the epoch, by SQS's clock. 0 when there is none. */
  sentAt: number
  remove: () => Promise<void>
}

/**
 * Receives from the run queue: one receiver that waits, and more beside it while `busy`.
 * @param waitSeconds how long to wait for a first message, 0 to 20
 */
export async function receive(
  sqs: SQSClient,
  queueUrl: string,
  { waitSeconds, busy, signal }: { waitSeconds: number; busy: boolean; signal: AbortSignal },
): Promise<Delivery> {
  const batches = await Promise.all(
    Array.from({ length: busy ? PARALLEL : 1 }, () =>
      sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: BATCH,
          MessageSystemAttributeNames: ['SentTimestamp'],
          VisibilityTimeout: VISIBILITY_SECONDS,
          WaitTimeSeconds: busy ? 0 : waitSeconds,
        }),
        { abortSignal: signal },
      ),
    ),
  )
  const received = batches.map(({ Messages = [] }) => Messages).filter(({ length }) => length > 0)
  return {
    bodies: received.flat().map(({ Body = '' }) => Body),
    sentAt: Math.max(0, ...received.flat().map(({ Attributes }) => Number(Attributes?.SentTimestamp ?? 0))),
    // A message that is not removed comes again; the ledger knows it already.
    remove: async () => {
      await Promise.all(received.map((messages) => remove(sqs, queueUrl, messages)))
    },
  }
}

async function remove(sqs: SQSClient, queueUrl: string, messages: Message[]): Promise<void> {
  const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
}
