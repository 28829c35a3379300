import { CloudFormationClient, DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { runPost, runStep, type StepOptions, startStep } from '../../local/runner.ts'
import type { SqsFault } from '../../local/sqs.ts'
import { ON_STACK, STACK, startStack, type TestStack, until } from './support.ts'

jest.setTimeout(300_000)

/** The action's own bucket, where checkpoints are kept. */
const ARTIFACTS = 's3-71-000000000000-us-east-1-an'
const KEYS = Array.from({ length: 60 }, (_, index) => `key ${index}`)
const places = ['checkpoint', 'stack', 'report', 'expired']

let stack: TestStack
let credentialsExpire = false
beforeAll(async () => {
  const expired: SqsFault = { kind: 'error', code: 'ExpiredToken', status: 403 }
  stack = await startStack(['from', ...places.map((name) => `to-${name}`)], {
    // Those of the step, not those of the functions, which only send to a run's queue.
    intercept: ({ action, queue = '' }) =>
      credentialsExpire && queue.includes('-run-') && /^(DeleteQueue|ReceiveMessage)$/.test(action)
        ? expired
        : undefined,
  })
  stack.bucket('from', KEYS)
  for (const name of places) stack.bucket(`to-${name}`)
})
afterAll(() => stack.stop())

function stepTo(about: string, env: Record<string, string> = {}): StepOptions {
  const inputs = { source: 's3://from', destination: `s3://to-${about}`, 'batch-size': '5', ...ON_STACK }
  return { inputs, env: { ...stack.env, ...env } }
}

/** Runs a step until it has copied some, does something, and gives how it ended. */
async function interrupted(
  about: string,
  what: () => unknown,
  more: Record<string, string> = { 'run-key': about },
) {
  const held = stack.hold('CopyObject', `to-${about}`, 5)
  let polls = 0
  const { inputs, env } = stepTo(about)
  const step = await startStep({
    inputs: { ...inputs, ...more },
    env,
    onLine: (line) => {
      if (line.includes(' open | queues')) polls++
    },
  })
  await until(() => held.isHolding() && polls > 0)
  await what()
  const result = await step.result
  held.release()
  return result
}

test('a report that can’t be written is told before anything is sent', async () => {
  const { exitCode, outputs, log } = await runStep(stepTo('report', { RUNNER_TEMP: '/dev/full' }))
  expect([exitCode, outputs.status]).toEqual([1, 'failed'])
  expect(log).toMatch(/::error::The report of failed objects can’t be written: .*RUNNER_TEMP/)
  expect(stack.keys('to-report')).toEqual([])
  expect(await stack.runQueues()).toEqual([])
})

test('credentials that expire in a run without checkpoints end it with its counts', async () => {
  const { exitCode, outputs, log, summary, state } = await interrupted(
    'expired',
    () => {
      credentialsExpire = true
    },
    {},
  )
  const early = await runPost(state, stack.env)
  credentialsExpire = false
  expect(exitCode).toBe(1)
  expect(outputs).toMatchObject({ status: 'failed', listed: '60', 'run-id': expect.stringMatching(/./) })
  expect(log).toMatch(/::error::This step can’t watch .* open.*ExpiredToken.*no checkpoints/)
  expect(log).toMatch(/::warning::Run .* could not be ended: its queue http.*-run-/)
  expect(early.log).toMatch(/::warning::Run .* could not be ended: its queue http.*-run-/)
  // It is not, while its queue exists.
  expect(log + early.log).not.toMatch(/was (stopped|over)/)
  expect(summary).toMatch(/60 objects/)
  await runPost(state, stack.env)
  expect(await stack.runQueues()).toEqual([])
})

test('a run whose checkpoint is deleted is ended, and not only said to be', async () => {
  stack.bucket(ARTIFACTS)
  const { outputs, log } = await interrupted('checkpoint', () => {
    for (const key of stack.keys(ARTIFACTS)) stack.store.bucket(ARTIFACTS).objects.delete(key)
  })
  expect(outputs.status).toBe('cancelled')
  expect(log).toMatch(/The run was ended by another step or by hand.*drop what is left/)
  expect(await stack.runQueues()).toEqual([])
  await until(() => stack.drained())
  expect(stack.keys('to-checkpoint').length).toBeLessThan(KEYS.length)
})

test('a run whose stack is deleted leaves nothing that a later step could attach to', async () => {
  const { AWS_ENDPOINT_URL: endpoint = '' } = stack.env
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const cfn = new CloudFormationClient({ endpoint, region: 'us-east-1', credentials })
  const { outputs, log } = await interrupted('stack', () =>
    cfn.send(new DeleteStackCommand({ StackName: STACK })),
  )
  cfn.destroy()
  expect(outputs.status).toBe('cancelled')
  expect(log).toMatch(/The run was ended by another step or by hand/)
  expect(await stack.runQueues()).toEqual([])
  expect(stack.keys(ARTIFACTS).filter((key) => key.endsWith('run.json.gz'))).toEqual([])
})
