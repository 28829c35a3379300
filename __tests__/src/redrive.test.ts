import { SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from '@jest/globals'
import { encodeTask, newCopyTask, type Run } from '../../protocol/message.ts'
import { realTiming } from '../../protocol/timing.ts'
import { MOST } from '../../src/dlq.ts'
import { redrive } from '../../src/redrive.ts'

const run: Run = {
  id: 'new',
  queue: 'https://sqs/run',
  source: { bucket: 'from', prefix: '' },
  destination: { bucket: 'to', prefix: '' },
  batchSize: 10,
}
const dead = encodeTask(newCopyTask('seed.0', { ...run, id: 'old' }, [{ key: 'k', size: 1 }]))
const STACK = {
  listQueueUrl: 'list',
  copyQueueUrl: 'copy',
  deadLetterQueueUrl: 'dlq',
  runQueuePrefix: 's-run-',
}

/** A DLQ of so many messages, of which the last is a task of an earlier run; and what was sent to other queues. */
function play(length: number) {
  const sent: string[] = []
  let read = 0
  const send = async (command: { input: object; constructor: { name: string } }) => {
    const { name } = command.constructor
    if (name === 'SendMessageBatchCommand')
      sent.push(
        ...(command.input as { Entries: { MessageBody: string }[] }).Entries.map((one) => one.MessageBody),
      )
    if (name !== 'ReceiveMessageCommand') return {}
    const ids = Array.from({ length: Math.min(10, length - read) }, (_, index) => read + index)
    read += ids.length
    const body = (id: number) => (id === length - 1 ? dead : 'not readable')
    return { Messages: ids.map((id) => ({ MessageId: `${id}`, Body: body(id), ReceiptHandle: `${id}` })) }
  }
  // The paginator of ListQueues asks whether it is given a client.
  const sqs = Object.assign(Object.create(SQSClient.prototype), { send }) as SQSClient
  const signal = new AbortController().signal
  return { sent, redriven: redrive({ sqs, stack: STACK as never, signal }, run, realTiming) }
}

test('finds a task of an earlier run behind thousands of messages that are none', async () => {
  const { sent, redriven } = play(12_345)
  const { origins, objects, more, unreadable } = await redriven
  expect([[...origins], objects, more, unreadable]).toEqual([['old/seed.0'], 1, false, 12_344])
  expect(sent).toHaveLength(1)
})

test('stops at its bound, and says that there may be more', async () => {
  const { sent, redriven } = play(MOST + 1)
  const { origins, more } = await redriven
  expect([origins.size, more]).toEqual([0, true])
  expect(sent).toEqual([])
})
