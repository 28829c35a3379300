import { S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { ACCOUNT_ID } from '../../local/identity.ts'
import { runPost, runStep, type StepResult, startStep } from '../../local/runner.ts'
import { runFolder } from '../../src/checkpoint/run-key.ts'
import { CheckpointStore } from '../../src/checkpoint/store.ts'
import { ON_STACK, STACK, startStack, type TestStack, until } from './support.ts'

jest.setTimeout(300_000)

/** The action's own bucket in the embedded AWS's account and region. */
const ARTIFACTS = 's3-71-000000000000-us-east-1-an'
const COUNT = 400

let stack: TestStack
let s3: S3Client
beforeAll(async () => {
  const about = ['left', 'key', 'two', 'kill', 'cancel', 'crash', 'late', 'expired', 'none', 'frozen']
  stack = await startStack(['from-long', ...about.map((name) => `to-${name}`)])
  stack.bucket(
    'from-long',
    Array.from({ length: COUNT }, (_, index) => String(index).padStart(6, '0')),
  )
  for (const name of about) stack.bucket(`to-${name}`)
  s3 = new S3Client({
    endpoint: stack.env.AWS_ENDPOINT_URL as string,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
  })
})
afterAll(async () => {
  s3.destroy()
  await stack.stop()
})

const step = (about: string, more: Record<string, string> = {}) => ({
  inputs: {
    source: 's3://from-long',
    destination: `s3://to-${about}`,
    ...ON_STACK,
    'batch-size': '5',
    'run-key': about,
    ...more,
  },
  env: stack.env,
})

const storeOf = (key: string) =>
  new CheckpointStore(s3, { name: ARTIFACTS, owner: ACCOUNT_ID }, runFolder(STACK, key))

/** Two minutes pass, as far as the lease of a run is concerned. */
async function expireLease(key: string): Promise<void> {
  const found = await storeOf(key).read()
  if (!found) throw new Error(`there is no checkpoint for ${key}`)
  const { watcher } = found.checkpoint
  expect(
    await storeOf(key).write({ ...found.checkpoint, watcher: { ...watcher, until: 0 } }, found.etag),
  ).toBeDefined()
}

async function expectSeenToItsEnd(result: StepResult, about: string): Promise<void> {
  expect(result.log).not.toMatch(/::error/)
  expect(result.exitCode).toBe(0)
  expect(result.outputs).toMatchObject({
    status: 'succeeded',
    listed: String(COUNT),
    copied: String(COUNT),
    failed: '0',
    dlq: '0',
  })
  expect(stack.keys(`to-${about}`)).toEqual(stack.keys('from-long'))
  expect(await stack.runQueues()).toEqual([])
  expect(stack.keys(ARTIFACTS).filter((key) => key.startsWith('runs/'))).toEqual([])
}

test('without a bucket for checkpoints, what takes them is refused, and other runs do without', async () => {
  const unkept = await runStep(step('none', { 'run-key': '' }))
  expect(unkept.log).toMatch(/No checkpoints are kept.* NoSuchBucket for the bucket/)
  expect(unkept.outputs).toMatchObject({ status: 'succeeded', copied: String(COUNT) })
  for (const more of [{ wait: 'false', 'run-key': '' }, { 'run-key': 'none' }]) {
    const refused = await runStep(step('none', more))
    expect(refused.exitCode).toBe(1)
    expect(refused.log).toMatch(/need checkpoints, but there is no bucket for them/)
  }
  const missing = await runStep(step('none', { 'artifact-bucket': 'nowhere' }))
  expect(missing.log).toMatch(/::error::artifact-bucket: the bucket nowhere does not exist/)
  expect(await stack.runQueues()).toEqual([])
})

describe('with a bucket for checkpoints', () => {
  beforeAll(() => stack.bucket(ARTIFACTS))

  test('wait: false starts a run and leaves it running; a step with its key sees it to its end', async () => {
    const held = stack.hold('CopyObject', 'to-left', 50)
    const first = await runStep(step('left', { wait: 'false' }))
    expect(first.log).not.toMatch(/::error/)
    expect(first.exitCode).toBe(0)
    expect(first.outputs.status).toBe('running')
    expect(first.log).toMatch(/The run goes on\. .*`run-key: left`/)
    expect(first.summary).toMatch(/^## ⏳ S3 copy/)
    expect((await runPost(first.state, stack.env)).log).toBe('')
    expect(await stack.runQueues()).toHaveLength(1)

    await until(held.isHolding)
    const second = await runStep(step('left', { wait: 'false' }))
    expect(second.exitCode).toBe(0)
    expect(second.outputs).toMatchObject({ status: 'running', 'run-id': first.outputs['run-id'] })
    held.release()
    const last = await runStep(step('left'))
    expect(last.log).toMatch(/Attached to the run/)
    expect(last.outputs['run-id']).toBe(first.outputs['run-id'])
    await expectSeenToItsEnd(last, 'left')
  })

  test('an action that is killed and starts again has exact totals, and those who ask meanwhile hear who watches', async () => {
    const held = stack.hold('CopyObject', 'to-crash', 200)
    const first = await startStep(step('crash'))
    await until(held.isHolding)
    await until(async () => ((await storeOf('crash').read())?.checkpoint.ledger.totals.copied ?? 0) > 0)

    const other = await runStep({
      ...step('crash'),
      env: {
        ...stack.env,
        GITHUB_RUN_ID: '7',
        GITHUB_REPOSITORY: 'o/r',
        GITHUB_SERVER_URL: 'https://github.test',
      },
    })
    expect(other.exitCode).toBe(1)
    expect(other.outputs.status).toBe('running')
    expect(Number(other.outputs.copied)).toBeGreaterThan(0)
    expect(other.log).toMatch(/::error::The run is not complete\. The run goes on, watched by process \d+/)
    const asking = await runStep(step('crash', { wait: 'false' }))
    expect(asking.exitCode).toBe(0)
    expect(asking.log).toMatch(/The run goes on, watched by process \d+/)
    const strange = await runStep(step('crash', { 'batch-size': '6', prefixes: '0' }))
    expect(strange.exitCode).toBe(1)
    expect(strange.log).toMatch(
      /run-key: run .* is in progress under this key, but its inputs differ: prefixes, batch-size/,
    )

    first.process.kill('SIGKILL')
    await first.result
    await expireLease('crash')
    held.release()
    await expectSeenToItsEnd(await runStep(step('crash')), 'crash')
  })

  test('a watcher that was frozen, and wakes up when another has seen its run to the end, says so', async () => {
    const held = stack.hold('CopyObject', 'to-frozen', 50)
    const frozen = await startStep(step('frozen'))
    await until(held.isHolding)
    frozen.process.kill('SIGSTOP')
    await expireLease('frozen')
    held.release()
    await expectSeenToItsEnd(await runStep(step('frozen')), 'frozen')
    frozen.process.kill('SIGCONT')
    const { exitCode, log, state } = await frozen.result
    expect(exitCode).toBe(1)
    expect(log).toMatch(/::error::The run was ended by another step or by hand/)
    expect((await runPost(state, stack.env)).log).toBe('')
  })

  test('a timeout leaves the run running and fails the step; running the job again attaches', async () => {
    const held = stack.hold('CopyObject', 'to-late', 50)
    const job = {
      GITHUB_RUN_ID: '8',
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_JOB: 'copy',
      GITHUB_SERVER_URL: 'https://github.test',
    }
    const again = { ...step('late', { 'run-key': '' }), env: { ...stack.env, ...job } }
    const first = await runStep({ ...again, inputs: { ...again.inputs, timeout: '1' } })
    expect(first.exitCode).toBe(1)
    expect(first.outputs.status).toBe('running')
    expect(first.log).toMatch(
      /::error::The run is not complete: the step reached its timeout with \d+ tasks open \(\d+ objects\)\. The run goes on/,
    )
    expect((await runPost(first.state, again.env)).log).toBe('')
    held.release()
    const second = await runStep({ ...again, env: { ...again.env, GITHUB_RUN_ATTEMPT: '2' } })
    expect(Number(second.outputs.duration)).toBeGreaterThanOrEqual(60)
    await expectSeenToItsEnd(second, 'late')
  })

  test('credentials that expire end the watching, not the run', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    stack.intercept(async ({ operation, bucket }) => {
      if (bucket === ARTIFACTS && operation === 'PutObject' && stack.keys('to-expired').length > 0)
        return { kind: 'error', code: 'ExpiredToken', message: 'The provided token has expired.' }
      if (bucket === 'to-expired' && operation === 'CopyObject' && stack.keys('to-expired').length > 100)
        await promise
      return undefined
    })
    const first = await runStep(step('expired', { 'fail-on-error': 'false' }))
    expect(first.exitCode).toBe(0)
    expect(first.outputs.status).toBe('running')
    expect(first.log).toMatch(
      /::warning::The run is not complete: .*credentials have expired.* The run goes on/,
    )
    expect((await runPost(first.state, stack.env)).log).toBe('')
    expect(await stack.runQueues()).toHaveLength(1)
    stack.intercept(() => undefined)
    resolve()
    await expireLease('expired')
    await expectSeenToItsEnd(await runStep(step('expired')), 'expired')
  })

  test('a cancelled job stops its run, says how far it got, and leaves nothing to attach to', async () => {
    const held = stack.hold('CopyObject', 'to-cancel', 100)
    const first = await startStep(step('cancel'))
    await until(held.isHolding)
    await until(async () => ((await storeOf('cancel').read())?.checkpoint.ledger.totals.copied ?? 0) > 0)
    first.process.kill('SIGINT')
    const result = await first.result
    held.release()
    expect(result.exitCode).toBe(1)
    expect(result.outputs).toMatchObject({ status: 'cancelled', copied: expect.stringMatching(/^[1-9]/) })
    expect(result.log).toMatch(/The run was cancelled with \d+ tasks open/)
    expect(await stack.runQueues()).toEqual([])
    expect(stack.keys(ARTIFACTS).filter((key) => key.startsWith('runs/'))).toEqual([])
  })

  test('post stops the run of an action that was killed, and says how far it got', async () => {
    const held = stack.hold('CopyObject', 'to-kill', 100)
    const first = await startStep(step('kill'))
    await until(held.isHolding)
    await until(async () => ((await storeOf('kill').read())?.checkpoint.ledger.totals.copied ?? 0) > 0)
    first.process.kill('SIGKILL')
    const { state } = await first.result
    const post = await runPost(state, stack.env)
    expect(post.exitCode).toBe(0)
    expect(post.log).toMatch(/was stopped before its end.* At .* it had listed \d+, copied [1-9]\d*/)
    expect(await stack.runQueues()).toEqual([])
    expect(stack.keys(ARTIFACTS).filter((key) => key.startsWith('runs/'))).toEqual([])
    held.release()
  })
})
