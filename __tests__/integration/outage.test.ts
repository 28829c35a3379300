import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import { SQS_ATTEMPTS } from '../../aws/queue.ts'
import { runStep } from '../../local/runner.ts'
import type { SqsFault } from '../../local/sqs.ts'
import { ON_STACK, startStack, type TestStack } from './support.ts'

jest.setTimeout(300_000)

/** What the next receives of outcomes are answered; then they work. */
let answers: SqsFault[]
let stack: TestStack
beforeAll(async () => {
  stack = await startStack(['from-outage', 'to-outage', 'from-denial', 'to-denial'], {
    intercept: ({ action, queue = '' }) =>
      action === 'ReceiveMessage' && queue.includes('-run-') ? answers.shift() : undefined,
  })
})
beforeEach(() => {
  answers = []
})
afterAll(async () => {
  await stack.stop()
})

const KEYS = Array.from({ length: 50 }, (_, index) => `key ${index}`)

function play(about: string) {
  stack.bucket(`from-${about}`, KEYS)
  stack.bucket(`to-${about}`)
  return runStep({
    inputs: {
      source: `s3://from-${about}`,
      destination: `s3://to-${about}`,
      ...ON_STACK,
    },
    env: stack.env,
  })
}

test('a step outlasts more failures of SQS in a row than a call has attempts', async () => {
  answers = Array.from({ length: SQS_ATTEMPTS + 1 }, () => ({
    kind: 'error',
    code: 'InternalError',
    status: 500,
  }))
  const { exitCode, outputs, log } = await play('outage')
  expect(exitCode).toBe(0)
  expect(outputs).toMatchObject({ status: 'succeeded', listed: '50', copied: '50', failed: '0', dlq: '0' })
  expect(answers).toEqual([])
  expect(log.match(/::warning::SQS is failing/g)).toHaveLength(1)
  expect(stack.keys('to-outage')).toEqual(stack.keys('from-outage'))
})

test('a missing permission ends the watching at once, by its name', async () => {
  answers = [{ kind: 'error', code: 'AccessDenied', status: 403 }]
  const { exitCode, log } = await play('denial')
  expect(exitCode).toBe(1)
  expect(log).toMatch(/::error::.*AccessDenied.*sqs:ReceiveMessage.*docs\/permissions\.md/)
  expect(log).not.toContain('SQS is failing')
  expect(await stack.runQueues()).toEqual([])
})
