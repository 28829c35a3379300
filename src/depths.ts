import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { StackOutputs } from './stack/index.ts'

/** Messages on the stack's queues, of all runs. Approximate: right only a minute after senders have stopped (SQS API reference). */
export type Depths = {
  list: number
  copy: number
  /** Being worked on. */
  inFlight: number
  dlq: number
}

/** The depths of the stack's queues. Three API calls. */
export async function readDepths(sqs: SQSClient, stack: StackOutputs): Promise<Depths> {
  const [list, copy, dlq] = (await Promise.all(
    [stack.listQueueUrl, stack.copyQueueUrl, stack.deadLetterQueueUrl].map((url) => readDepth(sqs, url)),
  )) as [Depth, Depth, Depth]
  return {
    list: list.waiting,
    copy: copy.waiting,
    inFlight: list.inFlight + copy.inFlight,
    dlq: dlq.waiting + dlq.inFlight,
  }
}

/** Whether the queues that feed the functions read empty. */
export function isDrained({ list, copy, inFlight }: Depths): boolean {
  return list + copy + inFlight === 0
}

type Depth = { waiting: number; inFlight: number }

/** Messages of one queue; approximate like {@link Depths}. */
export async function readDepth(sqs: SQSClient, queueUrl: string): Promise<Depth> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    }),
  )
  return {
    waiting:
      Number(Attributes?.ApproximateNumberOfMessages) +
      Number(Attributes?.ApproximateNumberOfMessagesDelayed),
    inFlight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
  }
}
