import type { SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from '@jest/globals'
import { Lease } from '../../lambda/lease.ts'

/** A queue that notes what it is told, and a clock that is moved by hand. */
function setUp() {
  let now = 0
  const wakers: { at: number; wake: () => void }[] = []
  const hidden: number[] = []
  const state = { answer: async (): Promise<void> => {} }
  const sqs = {
    send: async ({ input }: { input: { VisibilityTimeout: number } }) => {
      await state.answer()
      hidden.push(input.VisibilityTimeout)
    },
  } as unknown as SQSClient
  const timing = {
    now: () => now,
    random: () => 0,
    sleep: (ms: number) => new Promise<void>((wake) => wakers.push({ at: now + ms, wake })),
  }
  const errors: Error[] = []
  const lease = new Lease(
    { queueUrl: 'https://sqs/list', receiptHandle: 'r' },
    { sqs, timing, onError: (error) => errors.push(error) },
  )
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    lease,
    hidden,
    errors,
    state,
    settle,
    /** Lets time go by at once, as it does for a process that is frozen. */
    async pass(ms: number) {
      now += ms
      for (const waker of wakers.splice(0)) {
        if (waker.at <= now) waker.wake()
        else wakers.push(waker)
      }
      await settle()
    },
  }
}

test('a message is hidden for half a minute, again and again, until the work is done', async () => {
  const { lease, hidden, pass } = setUp()
  await lease.hold()
  await pass(10_000)
  await pass(10_000)
  expect(hidden).toEqual([30, 30, 30])
  lease.stop()
  await pass(10_000)
  expect(hidden).toHaveLength(3)
})

test('a worker that was frozen for longer than its lease leaves the message alone: another has it', async () => {
  const { lease, hidden, pass } = setUp()
  await lease.hold()
  await pass(31_000)
  await lease.release(4)
  await pass(10_000)
  expect(hidden).toEqual([30])
})

test('a lease that SQS refused at first is asked for again', async () => {
  const { lease, hidden, errors, state, pass } = setUp()
  state.answer = async () => {
    throw new Error('throttled')
  }
  await lease.hold()
  expect(errors).toHaveLength(1)
  state.answer = async () => {}
  await pass(40_000)
  await lease.release(8)
  expect(hidden).toEqual([30, 8])
})

test('a renewal that is on its way does not undo the release', async () => {
  const { lease, hidden, state, pass, settle } = setUp()
  await lease.hold()
  const { promise, resolve } = Promise.withResolvers<void>()
  state.answer = () => promise
  await pass(10_000)
  state.answer = async () => {}
  const released = lease.release(2)
  await settle()
  resolve()
  await released
  expect(hidden).toEqual([30, 30, 2])
})

test('a lease counts from when it was asked for: SQS may have granted it at once, and answered late', async () => {
  const { lease, hidden, state, pass } = setUp()
  state.answer = () => pass(20_000)
  await lease.hold()
  state.answer = async () => {}
  await pass(11_000)
  await lease.release(4)
  expect(hidden).toEqual([30])
})

test('a message that is being released is not hidden again, however long that takes', async () => {
  const { lease, hidden, state, pass } = setUp()
  await lease.hold()
  state.answer = async () => {
    state.answer = async () => {}
    await pass(10_000)
  }
  await lease.release(2)
  expect(hidden).toEqual([30, 2])
})

test('a message is shown again after whole seconds, which is all that SQS takes', async () => {
  const { lease, hidden } = setUp()
  await lease.release(2.6)
  expect(hidden).toEqual([3])
})

test('a message that never was held can be released', async () => {
  const { lease, hidden } = setUp()
  await lease.release(0)
  expect(hidden).toEqual([0])
})
