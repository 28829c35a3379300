import type { SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from '@jest/globals'
import { RunGate } from '../../lambda/run-gate.ts'

const QUEUE = 'https://sqs/1/stack-run-1'

/** A gate on a clock, before an SQS that has the queue of the run or not. */
function setUp(exists: boolean) {
  const world = { now: 0, exists }
  const sqs = {
    send: async () => {
      if (!world.exists) throw Object.assign(new Error('no such queue'), { name: 'QueueDoesNotExist' })
      return {}
    },
  } as unknown as SQSClient
  return { world, gate: new RunGate(sqs, () => world.now) }
}

test.each([
  ['a run that ends is open', true],
  ['a run whose queue was not known yet is over', false],
])('%s for a few seconds more', async (_, exists) => {
  const { world, gate } = setUp(exists)
  expect(await gate.isOpen(QUEUE)).toBe(exists)
  world.exists = !exists
  world.now = 4_000
  expect(await gate.isOpen(QUEUE)).toBe(exists)
  world.now = 6_000
  expect(await gate.isOpen(QUEUE)).toBe(!exists)
})
