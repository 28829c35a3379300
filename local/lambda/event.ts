import type { SQSEvent, SQSMessageAttributes, SQSRecord } from 'aws-lambda'
import type { Queue } from '../sqs.ts'

/**
 * Receives up to `batchSize` messages from a queue and makes of them the records that Lambda hands to a function.
 *
 * @param findQueue finds the dead-letter queue, to which messages go that were received too often
 */
export function receiveRecords(
  queue: Queue,
  batchSize: number,
  region: string,
  findQueue: (arn: string) => Queue | undefined,
): SQSRecord[] {
  const records: SQSRecord[] = []
  // SQS gives ten messages at a time at most.
  for (let wanted = batchSize; wanted > 0; wanted = batchSize - records.length) {
    const received = queue.dequeue(Math.min(10, wanted), undefined, findQueue)
    if (received.length === 0) break
    for (const { MessageId, ReceiptHandle, Body, MD5OfBody, MD5OfMessageAttributes, ...rest } of received) {
      const message = queue.inflightMessages.get(ReceiptHandle)?.message
      records.push({
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
        attributes: {
          ApproximateReceiveCount: String(message?.approximateReceiveCount),
          SentTimestamp: String(message?.sentTimestamp),
          SenderId: queue.arn.split(':')[4] ?? '',
          ApproximateFirstReceiveTimestamp: String(message?.approximateFirstReceiveTimestamp),
        },
        messageAttributes: lowerCased(rest.MessageAttributes),
        md5OfBody: MD5OfBody,
        ...(MD5OfMessageAttributes && { md5OfMessageAttributes: MD5OfMessageAttributes }),
        eventSource: 'aws:sqs',
        eventSourceARN: queue.arn,
        awsRegion: region,
      })
    }
  }
  return records
}

/** The JSON of the event that carries these records. */
export function toEvent(records: SQSRecord[]): string {
  return JSON.stringify({ Records: records } satisfies SQSEvent)
}

type Attributes = Record<string, { DataType: string; StringValue?: string; BinaryValue?: string }>

function lowerCased(attributes: Attributes = {}): SQSMessageAttributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        ...(StringValue !== undefined && { stringValue: StringValue }),
        ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType as 'String',
      },
    ]),
  )
}
