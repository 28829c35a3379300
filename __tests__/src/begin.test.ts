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

/** Begins a run where SQS makes any queue; `onSleep` is called while the run waits for its new queue. */
async function beginRun(onSleep: () => Promise<unknown>) {
  const sqs = {
    send: async (command: { input: { QueueName: string } }) => ({ QueueUrl: command.input.QueueName }),
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
    { outputs: { runQueuePrefix: 'stack-run-' }, accountId: ACCOUNT_ID } as EnsuredStack,
    {
      log: { info: () => {}, warning: () => {} },
      timing: { now: () => 0, random: () => 0, sleep: async () => void (await onSleep()) },
    },
    new AbortController().signal,
  )
}

test('post knows of a run as soon as its queue exists, for the action may be killed at any moment', async () => {
  let saved = ''
  const { attachment } = await beginRun(async () => {
    saved = await stateSaved()
  })
  expect(attachment.how).toBe('started')
  expect(saved).toMatch(/"queueUrl":"stack-run-/)
})
