import type { SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from '@jest/globals'
import { Sender } from '../../aws/sender.ts'
import { BATCH_BYTES } from '../../protocol/limits.ts'

type Entry = { Id: string; MessageBody: string; MessageGroupId?: string }
type Refusal = { Id: string; SenderFault: boolean; Code: string }

/** A sender, what has arrived of its messages, how many entries each of its requests had, and how many were under way at once. */
function setUp(refuse: (entry: Entry, time: number) => Refusal | undefined = () => undefined) {
  const arrived: string[] = []
  const sizes: number[] = []
  const underWay = { now: 0, most: 0 }
  const sqs = {
    send: async ({ input: { Entries } }: { input: { Entries: Entry[] } }) => {
      sizes.push(Entries.length)
      underWay.most = Math.max(underWay.most, ++underWay.now)
      await new Promise(setImmediate)
      underWay.now--
      const Failed: Refusal[] = []
      for (const entry of Entries) {
        const refusal = refuse(entry, sizes.length)
        if (refusal) Failed.push(refusal)
        else arrived.push(entry.MessageBody)
      }
      return { Failed }
    },
  } as unknown as SQSClient
  const timing = { now: () => 0, sleep: async () => {}, random: () => 0 }
  return { sender: new Sender(sqs, 'https://sqs/copy', 'run-1', timing), arrived, sizes, underWay }
}

const busy = ({ Id }: Entry): Refusal => ({ Id, SenderFault: false, Code: 'InternalError' })
const wrong = ({ Id }: Entry): Refusal => ({ Id, SenderFault: true, Code: 'InvalidMessageContents' })

test('entries that SQS refuses are sent again, the others not', async () => {
  const { sender, arrived } = setUp((entry, time) =>
    time < 3 && Number(entry.MessageBody) % 2 ? busy(entry) : undefined,
  )
  for (let index = 0; index < 10; index++) await sender.send(String(index))
  await sender.flush()
  expect(arrived.toSorted()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
})

test('entries are sent again when SQS throttles them, which it calls the fault of the sender', async () => {
  const { sender, arrived } = setUp((entry, time) =>
    time < 3 ? { Id: entry.Id, SenderFault: true, Code: 'RequestThrottled' } : undefined,
  )
  await sender.send('a')
  await sender.flush()
  expect(arrived).toEqual(['a'])
})

test('all messages are of one group, also when they are sent again', async () => {
  const groups: (string | undefined)[] = []
  const { sender } = setUp((entry, time) => {
    groups.push(entry.MessageGroupId)
    return time < 2 ? busy(entry) : undefined
  })
  await sender.send('a')
  await sender.send('b')
  await sender.flush()
  expect(groups).toEqual(['run-1', 'run-1', 'run-1', 'run-1'])
})

test('an entry that is wrong in itself is not sent again, wherever it stands among the refused', async () => {
  const { sender, sizes } = setUp((entry) => (entry.MessageBody === 'b' ? wrong(entry) : busy(entry)))
  await sender.send('a')
  await sender.send('b')
  await expect(sender.flush()).rejects.toThrow('InvalidMessageContents')
  expect(sizes).toEqual([2])
})

test('gives up when SQS keeps refusing', async () => {
  const { sender } = setUp(busy)
  await sender.send('a')
  await expect(sender.flush()).rejects.toThrow('SQS refused 1 of 1 messages: InternalError')
})

test('no request has more entries than SQS takes, though many send at once', async () => {
  const { sender, sizes } = setUp()
  await Promise.all(Array.from({ length: 200 }, (_, index) => sender.send(String(index))))
  await sender.flush()
  expect(Math.max(...sizes)).toBe(10)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(200)
})

test('what is on its way at once fits a function’s memory, however fast messages come', async () => {
  const { sender, underWay } = setUp()
  for (let index = 0; index < 1_000; index++) await sender.send(String(index))
  await sender.flush()
  expect(underWay.most).toBeGreaterThan(1)
  expect(underWay.most).toBeLessThanOrEqual(8)
})

test('a sender whose messages are refused takes no more of them', async () => {
  const { sender } = setUp(wrong)
  const sendMany = async () => {
    for (let index = 0; index < 1_000; index++) await sender.send(String(index))
  }
  await expect(sendMany()).rejects.toThrow('InvalidMessageContents')
})

test.each([
  ['halves of what SQS takes', BATCH_BYTES / 2, [2, 2, 2, 2]],
  ['a byte more than halves', BATCH_BYTES / 2 + 1, [1, 1, 1, 1, 1, 1, 1, 1]],
  ['halves of what older endpoints take', 128 * 1024, [1, 1, 1, 1, 1, 1, 1, 1]],
])('requests are no larger than SQS takes, and as few as that allows: %s', async (_, size, expected) => {
  const { sender, sizes } = setUp()
  for (let index = 0; index < 8; index++) await sender.send('x'.repeat(size))
  await sender.flush()
  expect(sizes).toEqual(expected)
})

test('a message that is too large goes alone, and fails with what SQS says', async () => {
  const { sender, arrived } = setUp((entry) =>
    entry.MessageBody.length > BATCH_BYTES ? wrong(entry) : undefined,
  )
  await sender.send('a')
  await sender.send('x'.repeat(BATCH_BYTES + 1))
  await expect(sender.flush()).rejects.toThrow('InvalidMessageContents')
  expect(arrived).toEqual(['a'])
})
