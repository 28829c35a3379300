import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { type Aws, startAws } from '../../local/index.ts'
import { runPost, runStep, type StepResult, startStep } from '../../local/runner.ts'
import { until } from './support.ts'

jest.setTimeout(300_000)

let aws: Aws
let sqs: SQSClient
/** The action on SQS that the step lacks the permission for. */
let denied = ''
beforeEach(async () => {
  denied = ''
  aws = await startAws({
    sqs: {
      intercept: ({ action }) =>
        action === denied ? { kind: 'error', code: 'AccessDenied', status: 403 } : undefined,
    },
  })
  sqs = new SQSClient({ endpoint: aws.url, region: aws.region, credentials: aws.credentials })
  for (const name of ['from-here', 'to-there']) aws.s3.store.createBucket(name)
  for (const key of ['a', 'b']) aws.s3.store.put('from-here', key, key)
})
afterEach(async () => {
  sqs.destroy()
  await aws.stop()
})

const step = (more: Record<string, string> = {}) => ({
  inputs: {
    source: 's3://from-here',
    destination: 's3://to-there',
    'max-concurrency': '3',
    'poll-interval': '1',
    ...more,
  },
  env: aws.env,
})

/** Whether the stack's mappings poll, or are about to. */
const polling = () => [...aws.lambda.mappings.values()].map(({ state }) => /^Enabl/.test(state))

/** The stack is there, with its dead-letter queue, and polls nothing. */
async function expectPausedNotDeleted({ log }: StepResult): Promise<void> {
  expect(log).toMatch(/is paused\. .*\nIt is not deleted, because .* its dead-letter queue and logs/)
  expect(log).not.toMatch(/is deleted/)
  expect(polling()).toEqual([false, false])
  const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 's3-71' }))
  expect(QueueUrls).toContainEqual(expect.stringMatching(/dead-?letter|dlq/i))
}

test('`delete` leaves the stack of a run that fell short, for what people need to mend it', async () => {
  aws.s3.store.put('from-here', 'archived', 'x', { storageClass: 'GLACIER' })
  const failed = await runStep(step({ 'after-run': 'delete', 'fail-on-error': 'false' }))
  expect(failed.outputs).toMatchObject({ status: 'failed', copied: '2', failed: '1' })
  await expectPausedNotDeleted(failed)

  const mended = await runStep(step({ 'after-run': 'delete', archived: 'skip' }))
  expect(mended.outputs).toMatchObject({ status: 'succeeded' })
  expect(mended.log).toMatch(/The stack s3-71 is deleted/)
})

test('`delete` leaves the stack of a run that was killed, which `post` stops', async () => {
  const killed = await startStep({
    ...step({ 'after-run': 'delete' }),
    onLine: (line) => {
      if (/^Run .*: s3:/.test(line)) killed.process.kill('SIGKILL')
    },
  })
  const { state } = await killed.result
  denied = 'DeleteQueue'
  const early = await runPost(state, aws.env)
  expect(early.exitCode).toBe(1)
  expect(early.log).toMatch(
    /::error::Run .* could not be ended: its queue http.*-run-.* To stop them, delete that queue\..*AccessDenied/,
  )
  denied = ''
  const post = await runPost(state, aws.env)
  expect(post.log).toMatch(/was stopped before its end/)
  await expectPausedNotDeleted(post)
})

test('a complete copy is a success though its stack can’t be paused, and `post` tries again', async () => {
  denied = 'ListQueues'
  const { state, ...result } = await runStep(step())
  expect(result.outputs).toMatchObject({ status: 'succeeded', copied: '2' })
  expect(result.exitCode).toBe(0)
  expect(result.log).toMatch(
    /::warning::The copy is complete\. The stack s3-71 could not be tidied up after run .*`after-run: pause`.*AccessDenied/,
  )
  expect(result.log).not.toMatch(/::error/)
  expect(polling()).toEqual([true, true])

  const early = await runPost(state, aws.env)
  expect(early.exitCode).toBe(0)
  expect(early.log).toMatch(/::warning::The stack s3-71 could not be tidied up after run /)
  expect(early.log).not.toMatch(/stopped/)

  denied = ''
  expect((await runPost(state, aws.env)).log).toBe(
    'The stack s3-71 is paused. It polls nothing until the next run.\n',
  )
  expect(polling()).toEqual([false, false])
})

test('a complete copy is a success though its run queue can’t be deleted, and `post` deletes it', async () => {
  denied = 'DeleteQueue'
  const { state, outputs, exitCode, log } = await runStep(step({ 'after-run': 'delete' }))
  expect(outputs).toMatchObject({ status: 'succeeded', copied: '2' })
  expect(exitCode).toBe(0)
  expect(log).toMatch(/::warning::The copy is complete\..*AccessDenied/)

  denied = ''
  const post = await runPost(state, aws.env)
  expect(post.log).not.toMatch(/stopped|::warning/)
  expect(post.log).toMatch(/The stack s3-71 is deleted/)
  expect((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 's3-71' }))).QueueUrls ?? []).toEqual([])
})

describe('a stack that was deployed for a run that never begins is paused', () => {
  test('when the job is killed while it is deployed, by `post`', async () => {
    const killed = await startStep(step())
    await until(() => aws.queues.listQueues('s3-71').queues.length > 0)
    killed.process.kill('SIGKILL')
    const { state } = await killed.result
    expect(state.run).toBeUndefined()
    const post = await runPost(state, aws.env)
    expect(post.exitCode).toBe(0)
    expect(post.log).toMatch(/The stack s3-71 is paused/)
    expect(polling()).toEqual([false, false])
  })

  test('when the run queue can’t be created', async () => {
    const { result } = await startStep({
      ...step(),
      onLine: (line) => {
        if (/^Created in/.test(line)) denied = 'CreateQueue'
      },
    })
    const { log, exitCode } = await result
    expect(exitCode).toBe(1)
    expect(log).toMatch(/::error::.*AccessDenied/)
    expect(log).toMatch(/The stack s3-71 is paused/)
    expect(polling()).toEqual([false, false])
  })

  test('when the job is cancelled before that', async () => {
    const cancelled = await startStep({
      ...step(),
      onLine: (line) => {
        if (/^Creating the stack/.test(line)) cancelled.process.kill('SIGINT')
      },
    })
    const { log, outputs } = await cancelled.result
    expect(outputs).toMatchObject({ status: 'cancelled' })
    expect(log).toMatch(/was cancelled before the run began/)
    expect(polling()).toEqual([false, false])
  })
})
