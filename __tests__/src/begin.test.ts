import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ACCOUNT_ID } from '../../local/identity.ts'
import { begin } from '../../src/begin.ts'
import type { Clients } from '../../src/clients.ts'
import type { Inputs } from '../../src/inputs.ts'
import type { EnsuredStack } from '../../src/stack/index.ts'
import { FakeS3, SUBJECT } from './checkpoint/support.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'begin-'))
  process.env.GITHUB_STATE = join(folder, 'state')
  await writeFile(process.env.GITHUB_STATE, '')
})
afterEach(async () => {
  delete process.env.GITHUB_STATE
  await rm(folder, { recursive: true })
})

const stateSaved = () => readFile(join(folder, 'state'), 'utf8')

/** Begins a run; `onCreate` is called while SQS creates its queue, `onSleep` while the run waits until that can be used. */
async function beginRun(onCreate: () => Promise<unknown>, onSleep: () => Promise<unknown> = async () => {}) {
  const sqs = {
    send: async ({ input }: { input: { QueueName: string } }) => {
      await onCreate()
      return { QueueUrl: `https://sqs/1/${input.QueueName}` }
    },
  }
  return await begin(
    { sqs, s3: new FakeS3() } as unknown as Clients,
    {
      ...SUBJECT,
      prefixes: [],
      stackName: 'stack',
      region: 'eu-west-1',
      deploy: 'auto',
      wait: true,
      runKey: 'key',
    } as unknown as Inputs,
    {
      outputs: { listQueueUrl: 'https://sqs/1/stack-ListQueue', runQueuePrefix: 'stack-run-' },
      accountId: ACCOUNT_ID,
    } as EnsuredStack,
    {
      log: { info: () => {}, warning: () => {} },
      timing: { now: () => 0, random: () => 0, sleep: async () => void (await onSleep()) },
    },
    new AbortController().signal,
  )
}

test('post knows of a run before its queue exists, for the action may be killed at any moment', async () => {
  const saved: string[] = []
  const look = async () => saved.push(await stateSaved())
  const { attachment } = await beginRun(look, look)
  const id = attachment.how === 'started' && attachment.checkpoint.run.id
  const url = JSON.stringify(`https://sqs/1/stack-run-${id}`)
  expect(saved).toEqual([expect.stringContaining(url), expect.stringContaining(url)])
})

test('post is told of no run whose queue SQS refused to create', async () => {
  const refusal = new Error('no')
  const refused = beginRun(async () => {
    throw refusal
  })
  await expect(refused).rejects.toBe(refusal)
  expect(await stateSaved()).toMatch(/run<<.*\n\n.*\n$/)
})
