import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { runPost, runStep, startStep } from '../../local/runner.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import type { Run } from '../../protocol/run.ts'
import { encodeTask, newCopyTask, newListTask } from '../../protocol/task.ts'
import { ON_STACK, STACK, send, startStack, type TestStack, until } from './support.ts'

jest.setTimeout(300_000)

/** Called for each receive from the DLQ. */
let onLook = () => {}
/** Whether nothing may be deleted from the DLQ. */
let readOnly = false
let stack: TestStack
beforeAll(async () => {
  const buckets = ['one', 'two', 'cut', 'kept'].flatMap((about) => [`from-${about}`, `to-${about}`])
  stack = await startStack(buckets, {
    intercept: ({ action, queue = '' }) => {
      if (!queue.includes('DeadLetterQueue')) return undefined
      if (action === 'ReceiveMessage') onLook()
      return readOnly && action === 'DeleteMessageBatch'
        ? { kind: 'error', code: 'AccessDenied', status: 403 }
        : undefined
    },
  })
})
afterAll(async () => {
  await stack.stop()
})

const inputs = (about: string, mode = 'redrive') => ({
  mode,
  source: `s3://from-${about}`,
  destination: `s3://to-${about}`,
  ...ON_STACK,
})
const oldRun = (about: string, id: string): Run => ({
  id,
  queue: `${stack.stack.runQueuePrefix}${id}`,
  source: { bucket: `from-${about}`, prefix: '' },
  destination: { bucket: `to-${about}`, prefix: '' },
  batchSize: 10,
})
const bury = (body: string) => send(stack.sqs, stack.stack.deadLetterQueueUrl, body)
const keys = (...names: string[]) => names.map((key) => ({ key, size: 1 }))

test('the tasks of earlier runs between the same places go round again, with counts of their own', async () => {
  const all = ['a', 'b', 'c', 'd', 'x1', 'x2', 'x3']
  stack.bucket('from-one', all)
  stack.bucket('to-one')
  const [first, second] = [
    oldRun('one', '20260101-000000-aaaaaaaa'),
    oldRun('one', '20260102-000000-bbbbbbbb'),
  ]
  const copy = encodeTask(newCopyTask('f.3', first, keys('a', 'b')))
  // The same message twice, as SQS may deliver it, and a task of that name of another run.
  for (const body of [copy, copy, encodeTask(newCopyTask('f.3', second, keys('c', 'gone')))]) await bury(body)
  await bury(encodeTask(newListTask('g.1', second, { prefix: 'x', ranges: [{ after: 'x1' }] })))
  const others = [
    encodeTask(newCopyTask('f.3', oldRun('two', '20260101-000000-cccccccc'), keys('a'))),
    copy.replace(`"v":${PROTOCOL}`, '"v":99'),
    'no task at all',
  ]
  for (const body of others) await bury(body)

  const step = await runStep({ inputs: inputs('one'), env: stack.env })
  expect(step.exitCode).toBe(0)
  expect(step.log).toMatch(/Redriving 3 dead-lettered tasks with 4 objects/)
  expect(step.log).toMatch(/::warning::Not redriven: 2 messages in the dead-letter queue that this version/)
  expect(step.outputs).toMatchObject({ listed: '6', copied: '5', vanished: '1', failed: '0', dlq: '0' })
  expect(stack.keys('to-one')).toEqual(['a', 'b', 'c', 'x2', 'x3'])
  const left = (await stack.deadLetters()).map(({ body }) => body)
  expect(left.sort()).toEqual([...others].sort())

  const again = await runStep({ inputs: inputs('one'), env: stack.env })
  expect(again.exitCode).toBe(0)
  expect(again.log).toMatch(
    /::notice::There is nothing to redrive: the dead-letter queue holds no task of an earlier run/,
  )
  expect(again.outputs).toMatchObject({ listed: '0', copied: '0', dlq: '0' })
})

test('what a run could not finish stays for the next one', async () => {
  stack.bucket('from-cut', ['a', 'b'])
  stack.bucket('to-cut')
  await bury(encodeTask(newCopyTask('f.0', oldRun('cut', '20260101-000000-dddddddd'), keys('a', 'b'))))
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  let copies = 0
  stack.intercept(async ({ operation, bucket }) => {
    if (operation === 'CopyObject' && bucket === 'to-cut' && ++copies) await held
    return undefined
  })
  const step = await startStep({ inputs: inputs('cut'), env: stack.env })
  await until(() => copies > 0)
  step.process.kill('SIGKILL')
  await runPost((await step.result).state, stack.env)
  release()
  stack.intercept(() => undefined)
  await until(() => stack.drained())

  const again = await runStep({ inputs: inputs('cut'), env: stack.env })
  expect(again.outputs).toMatchObject({ listed: '2', copied: '2', failed: '0', dlq: '0' })
  expect(stack.keys('to-cut')).toEqual(['a', 'b'])
})

test('the tasks of a run that is going on are its own', async () => {
  stack.bucket('from-two', ['a', 'b'])
  stack.bucket('to-two')
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  let isHeld = false
  stack.intercept(async ({ operation, bucket, key }) => {
    // Of the run that is going on; the worker tries again after a minute.
    if (operation === 'CopyObject' && bucket === 'to-two' && key === 'b') {
      isHeld = true
      await held
    }
    return undefined
  })
  const going = await startStep({ inputs: inputs('two', 'copy'), env: stack.env })
  await until(async () => (await stack.runQueues()).length === 1)
  await until(() => isHeld)
  const [queue = ''] = await stack.runQueues()
  const id = queue.slice(queue.lastIndexOf(`${STACK}-run-`) + `${STACK}-run-`.length)
  await bury(encodeTask(newCopyTask('f.0', oldRun('two', id), keys('a'))))
  const before = (await stack.deadLetters()).length
  const step = await runStep({ inputs: inputs('two'), env: stack.env })
  release()
  // One of an earlier run between these places was left by the first test.
  expect(step.log).toMatch(/Redriving 1 dead-lettered task with 1 object/)
  expect(step.log).toMatch(
    new RegExp(`::warning::Not redriven: 1 dead-lettered task .*: ${STACK}-run-${id}\\..*delete its queue`),
  )
  expect((await going.result).outputs).toMatchObject({ listed: '2', copied: '2' })
  expect(await stack.deadLetters()).toHaveLength(before - 1)
})

test('what can’t be removed from the DLQ in the end is told, and costs no count', async () => {
  stack.bucket('from-kept', ['a', 'b'])
  stack.bucket('to-kept')
  await bury(encodeTask(newCopyTask('f.0', oldRun('kept', '20260101-000000-eeeeeeee'), keys('a', 'b'))))
  readOnly = true
  const step = await runStep({ inputs: inputs('kept'), env: stack.env })
  readOnly = false
  expect(step.exitCode).toBe(0)
  expect(step.outputs).toMatchObject({ status: 'succeeded', listed: '2', copied: '2', dlq: '0' })
  expect(step.log).toMatch(
    /::warning::The redriven tasks could not be removed from the dead-letter queue.*AccessDenied/,
  )
})

test('a job that is cancelled while the DLQ is looked through leaves no run behind', async () => {
  const step = await startStep({ inputs: inputs('kept'), env: stack.env })
  onLook = () => step.process.kill('SIGINT')
  const { outputs, log } = await step.result
  onLook = () => {}
  expect(outputs.status).toBe('cancelled')
  expect(log).toMatch(/::error::The (job|run) was cancelled/)
  expect(log).not.toContain('AbortError')
  expect(await stack.runQueues()).toEqual([])
})
