import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { runPost, runStep, type StepResult, startStep } from '../../local/runner.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import { encodeTask, newCopyTask } from '../../protocol/task.ts'
import { ON_STACK, STACK, send, startStack, type TestStack, until } from './support.ts'

jest.setTimeout(300_000)

const ABOUT = [
  'prefix',
  'some',
  'empty',
  'archive',
  'denied',
  'one',
  'two',
  'both',
  'killed-list',
  'killed-copy',
  'poison',
  'cancel',
  'kill',
]
const BUCKETS = ABOUT.flatMap((about) => [`from-${about}`, `to-${about}`])

let stack: TestStack
beforeAll(async () => {
  stack = await startStack(BUCKETS)
})
afterAll(async () => {
  await stack.stop()
})

/** Inputs of a run on the test's stack. */
function inputs(
  source: string,
  destination: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return {
    source,
    destination,
    ...ON_STACK,
    ...more,
  }
}

/** What has to hold after every run: the counts add up. */
function expectExact({ outputs }: StepResult): void {
  const count = (name: string) => Number(outputs[name])
  const settled = ['copied', 'skipped', 'vanished', 'failed', 'dlq-objects'].map(count)
  expect(settled.reduce((sum, one) => sum + one)).toBe(count('listed'))
}

const numbered = (count: number, prefix = '') =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(6, '0')}`)

describe('a run', () => {
  test('copies a prefix to another, and says so in outputs, log and summary', async () => {
    stack.bucket('from-prefix', [...numbered(700, 'a+b/x'), 'a+b/', 'a+b/日/🚀', 'a+b/\u0001', 'other/1'])
    stack.bucket('to-prefix', ['kept'])
    const step = await runStep({
      inputs: inputs('s3://from-prefix/a+b/', 's3://to-prefix/new/'),
      env: stack.env,
    })

    expect(step.log).not.toMatch(/::error/)
    expect(step.exitCode).toBe(0)
    expect(step.outputs).toMatchObject({ listed: '703', copied: '703', skipped: '0', failed: '0', dlq: '0' })
    expectExact(step)
    expect(stack.keys('to-prefix')).toEqual([
      'kept',
      ...stack.keys('from-prefix').flatMap((key) => (key.startsWith('a+b/') ? `new/${key.slice(4)}` : [])),
    ])
    const etag = (bucket: string, key: string) => stack.store.get(bucket, key)?.etag
    expect(etag('to-prefix', 'new/日/🚀')).toBe(etag('from-prefix', 'a+b/日/🚀'))
    expect(await readFile(step.outputs.report as string, 'utf8')).toBe('')
    expect(step.summary).toMatch(/^## ✅ S3 copy: 703 of 703 objects/)
    expect(step.log).toMatch(
      /listed \d+ .* copied \d+ .* objects\/s .* queues of the stack: list \d+, copy \d+, in flight \d+, DLQ \d+/,
    )
    expect(await stack.runQueues()).toEqual([])
  })

  test('takes only the prefixes that it is given', async () => {
    stack.bucket('from-some', ['p/2023/a', 'p/2024/a', 'p/2024/b', 'p/2024', 'p/2025/a', '2024/a'])
    stack.bucket('to-some')
    const step = await runStep({
      inputs: inputs('s3://from-some/p/', 's3://to-some', { prefixes: '2024/\n2025\n2o26/' }),
      env: stack.env,
    })
    expect(step.exitCode).toBe(0)
    expect(step.log).toMatch(/::warning::prefixes: no object begins with s3:\/\/from-some\/p\/2o26\/\. /)
    expect(stack.keys('to-some')).toEqual(['2024/a', '2024/b', '2025/a'])
    expect(step.outputs.listed).toBe('3')
  })

  test('of an empty bucket is a success with zeros', async () => {
    stack.bucket('from-empty')
    stack.bucket('to-empty')
    const step = await runStep({ inputs: inputs('s3://from-empty', 's3://to-empty'), env: stack.env })
    expect(step.exitCode).toBe(0)
    expect(step.outputs).toMatchObject({ listed: '0', copied: '0', failed: '0', dlq: '0', bytes: '0' })
  })

  test('that fails all over is stopped early, and says what is wrong', async () => {
    stack.bucket('from-denied', numbered(6000))
    stack.bucket('to-denied')
    let copies = 0
    stack.intercept(({ operation, bucket }) => {
      if (operation !== 'CopyObject' || bucket !== 'to-denied') return undefined
      copies++
      return { kind: 'error', code: 'AccessDenied' }
    })
    const step = await runStep({
      inputs: inputs('s3://from-denied', 's3://to-denied', { 'max-failures': '100', 'batch-size': '50' }),
      env: stack.env,
    })
    stack.intercept(() => undefined)
    expect(step.exitCode).toBe(1)
    expect(step.log).toMatch(
      /::error::The run was stopped early, with [\d,]+ tasks? open \([\d,]+ objects?\): more objects failed than `max-failures: 100` allows, mostly with AccessDenied/,
    )
    expect(Number(step.outputs.failed)).toBeGreaterThan(100)
    expect(step.summary).toMatch(/^## ❌ .* stopped early/)
    await until(() => stack.drained())
    expect(copies).toBeLessThan(6000)
    expect(await stack.runQueues()).toEqual([])
  })

  test('names each object that could not be copied, and fails the step', async () => {
    const hostile = 'archived/|<b>\n::error::x'
    stack.bucket('from-archive', ['fine', 'x'.repeat(1020)])
    for (const key of [hostile, 'archived/2'])
      stack.store.put('from-archive', key, 'x', { storageClass: 'GLACIER' })
    stack.bucket('to-archive')
    const step = await runStep({
      inputs: inputs('s3://from-archive', 's3://to-archive/longer/'),
      env: stack.env,
    })

    expect(step.exitCode).toBe(1)
    expect(step.outputs).toMatchObject({ listed: '4', copied: '1', failed: '3', dlq: '0' })
    expectExact(step)
    const lines = (await readFile(step.outputs.report as string, 'utf8')).trimEnd().split('\n')
    const failures = lines.map((line) => JSON.parse(line) as { key: string; code: string })
    expect(failures.map(({ key, code }) => `${code} ${key}`).sort()).toEqual([
      'InvalidObjectState archived/2',
      `InvalidObjectState ${hostile}`,
      `KeyTooLongError ${'x'.repeat(1020)}`,
    ])
    expect(step.summary).toContain('| InvalidObjectState | 2 |')
    expect(step.log).not.toMatch(/^::error::x/m)
    expect(step.log).toMatch(/^::error title=Objects not copied::2 × InvalidObjectState/m)
  })

  test('with fail-on-error false passes the step all the same', async () => {
    const step = await runStep({
      inputs: inputs('s3://from-archive', 's3://to-archive/longer/', { 'fail-on-error': 'false' }),
      env: stack.env,
    })
    expect(step.exitCode).toBe(0)
    expect(step.outputs.failed).toBe('3')
    expect(step.log).toMatch(/::warning::3 objects could not be copied/)
  })
})

describe('what goes wrong before a run begins', () => {
  test('bad inputs are told together, and nothing is touched', async () => {
    const step = await runStep({ inputs: inputs('from', 's3://To', { timeout: '0' }), env: stack.env })
    expect(step.exitCode).toBe(1)
    expect(step.log).toMatch(/3 inputs are invalid\. Nothing was changed/)
    expect(step.log).not.toMatch(/\n\s+at /)
  })

  test('a stack that does not exist is named', async () => {
    const step = await runStep({
      inputs: inputs('s3://from-some', 's3://to-some', { 'stack-name': 'nowhere' }),
      env: stack.env,
    })
    expect(step.exitCode).toBe(1)
    expect(step.log).toMatch(/::error::There is no stack nowhere in us-east-1, and `deploy` is `never`/)
  })
})

describe('two runs at once on one stack', () => {
  test('each reports its own exact numbers', async () => {
    stack.bucket('from-one', numbered(1500))
    stack.bucket('from-two', numbered(600))
    stack.bucket('to-both')
    const steps = await Promise.all([
      runStep({
        inputs: inputs('s3://from-one', 's3://to-both/1/', { 'batch-size': '100' }),
        env: stack.env,
      }),
      runStep({ inputs: inputs('s3://from-two', 's3://to-both/2/', { 'batch-size': '10' }), env: stack.env }),
    ])
    expect(steps.map(({ outputs }) => [outputs.listed, outputs.copied, outputs.failed, outputs.dlq])).toEqual(
      [
        ['1500', '1500', '0', '0'],
        ['600', '600', '0', '0'],
      ],
    )
    expect(stack.keys('to-both')).toEqual([...numbered(1500, '1/'), ...numbered(600, '2/')])
  })
})

describe('a worker that is killed', () => {
  test.each(['list', 'copy'] as const)(
    'half-way through %s tasks costs no object and no exactness',
    async (kind) => {
      const [from, to] = [`from-killed-${kind}`, `to-killed-${kind}`]
      stack.bucket(from, numbered(3000))
      stack.bucket(to)
      const held = kind === 'list' ? stack.hold('ListObjectsV2', from, 3) : stack.hold('CopyObject', to, 100)
      const { result } = await startStep({
        inputs: inputs(`s3://${from}`, `s3://${to}`, { 'batch-size': '50' }),
        env: stack.env,
      })
      await until(() => held.isHolding() && stack.busy(kind).length > 0)
      for (const pid of stack.busy(kind)) process.kill(pid, 'SIGKILL')
      held.release()
      const step = await result
      expect(step.exitCode).toBe(0)
      expect(step.outputs).toMatchObject({ listed: '3000', copied: '3000', failed: '0', dlq: '0' })
      expect(stack.keys(to)).toEqual(numbered(3000))
    },
  )
})

describe('a poison message', () => {
  test('ends in the DLQ, in the counts and in the report, and the other tasks are not repeated', async () => {
    stack.bucket('from-poison', numbered(50))
    stack.bucket('to-poison')
    const held = stack.hold('CopyObject', 'to-poison')
    const step = await startStep({ inputs: inputs('s3://from-poison', 's3://to-poison'), env: stack.env })
    await until(async () => (await stack.runQueues()).length === 1)
    const [queue = ''] = await stack.runQueues()
    const run = {
      id: queue.slice(queue.lastIndexOf(`${STACK}-run-`) + `${STACK}-run-`.length),
      queue,
      source: { bucket: 'from-poison', prefix: '' },
      destination: { bucket: 'to-poison', prefix: '' },
      batchSize: 10,
    }
    const body = encodeTask(newCopyTask('poison.0', run, [{ key: 'p', size: 1 }]))
    await send(stack.sqs, stack.stack.copyQueueUrl, body.replace(`"v":${PROTOCOL}`, '"v":99'))
    await until(async () => (await stack.deadLetters()).length === 1)
    held.release()
    const { exitCode, outputs, log } = await step.result
    expect(outputs).toMatchObject({ listed: '50', copied: '50', failed: '0', dlq: '1' })
    expect(exitCode).toBe(1)
    expect(log).toMatch(/1 task .* went to the dead-letter queue/)
    expect(stack.logs('copy').filter((line) => line.includes('refused a message')).length).toBe(5)
  })
})

describe('a job that is cancelled', () => {
  test('stops its run: the run queue goes, workers drop its tasks, and the counts so far are told', async () => {
    stack.bucket('from-cancel', numbered(2000))
    stack.bucket('to-cancel')
    const held = stack.hold('CopyObject', 'to-cancel', 10)
    const step = await startStep({
      inputs: inputs('s3://from-cancel', 's3://to-cancel', { 'batch-size': '1' }),
      env: stack.env,
    })
    await until(held.isHolding)
    step.process.kill('SIGINT')
    const result = await step.result
    held.release()
    expect(result.exitCode).toBe(1)
    expect(result.log).toMatch(/The run was cancelled/)
    // Main has stopped the run and said so: nothing is left for post.
    expect(await runPost(result.state, stack.env)).toMatchObject({ exitCode: 0, log: '' })
    expect(await stack.runQueues()).toEqual([])
    await until(() => stack.drained())
    expect(stack.keys('to-cancel').length).toBeLessThan(2000)
  })

  test('by a kill that leaves no time: post stops the run', async () => {
    stack.bucket('to-kill')
    const held = stack.hold('CopyObject', 'to-kill', 10)
    const step = await startStep({
      inputs: inputs('s3://from-cancel', 's3://to-kill', { 'batch-size': '1' }),
      env: stack.env,
    })
    await until(held.isHolding)
    step.process.kill('SIGKILL')
    const { state } = await step.result
    held.release()
    expect(await stack.runQueues()).toHaveLength(1)
    const post = await runPost(state, stack.env)
    expect(post.exitCode).toBe(0)
    expect(post.log).toMatch(/was stopped before its end/)
    expect(await stack.runQueues()).toEqual([])
    await until(() => stack.drained())
    expect(stack.keys('to-kill').length).toBeLessThan(2000)
  })
})
