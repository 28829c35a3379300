import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'

/** Messages of one ReceiveMessage at most (SQS API reference). */
const BATCH = 10
/** Messages that one look reads at most: 10,000 requests, and below the 120,000 that SQS lets be hidden at once (SQS quotas). */
export const MOST = 100_000
/** For how long a look hides what it has seen from itself; whoever looks at the same time sees the others. */
export const LOOK_SECONDS = 120

/** A message of the DLQ. */
export type DeadLetter = { id: string; body: string }

/** What is to become of a message that was looked at. */
type Verdict = 'keep' | 'remove'

/**
 * Reads through the DLQ, one message after another. What is kept is there for others at once when the look ends, and two
 * minutes later if it is cut off: the queue is for people, and for other runs too.
 *
 * @param goesOn asked before each request; false ends the look early
 * @returns how many messages this look came across; a later one may come across others
 */
export async function look(
  sqs: SQSClient,
  queueUrl: string,
  signal: AbortSignal,
  visit: (letter: DeadLetter) => Promise<Verdict>,
  goesOn: () => Promise<boolean> = async () => true,
): Promise<number> {
  const kept = new Map<string, string>()
  let seen = 0
  while (seen < MOST && (await goesOn())) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: BATCH,
        VisibilityTimeout: LOOK_SECONDS,
        // Without a wait SQS asks only some of its servers, and may say that there is nothing.
        WaitTimeSeconds: 1,
      }),
      { abortSignal: signal },
    )
    const fresh = Messages.filter(({ MessageId = '' }) => !kept.has(MessageId))
    if (fresh.length === 0) break
    seen += fresh.length
    const removed: string[] = []
    for (const { MessageId = '', Body = '', ReceiptHandle = '' } of fresh) {
      if ((await visit({ id: MessageId, body: Body })) === 'remove') removed.push(ReceiptHandle)
      else kept.set(MessageId, ReceiptHandle)
    }
    if (removed.length > 0) await remove(sqs, queueUrl, removed)
  }
  await showAgain(sqs, queueUrl, [...kept.values()], signal, goesOn)
  return seen
}

/** A message that is not removed, though it was to be, is looked at again by whoever looks next. */
async function remove(sqs: SQSClient, queueUrl: string, receipts: string[]): Promise<void> {
  const Entries = receipts.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }))
  await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
}

/** All of it, whatever `goesOn` says; a cancelled job has no time for that. */
async function showAgain(
  sqs: SQSClient,
  queueUrl: string,
  receipts: string[],
  signal: AbortSignal,
  goesOn: () => Promise<boolean>,
): Promise<void> {
  for (let from = 0; from < receipts.length; from += BATCH) {
    if (signal.aborted) return
    await goesOn()
    await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: queueUrl,
        Entries: receipts
          .slice(from, from + BATCH)
          .map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 })),
      }),
    )
  }
}
