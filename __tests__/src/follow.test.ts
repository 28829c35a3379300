import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from '@jest/globals'
import { follow, type Job } from '../../src/follow.ts'
import { sleptTiming } from '../support/timing.ts'
import { checkpointOf, FakeS3, runOf } from './checkpoint/support.ts'

type Command = { input: { Enabled?: boolean }; constructor: { name: string } }

test('a run that can’t be seeded does not enable what is paused after it', async () => {
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  let enabled = 0
  const lambda = {
    send: async ({ input, constructor: { name } }: Command) => {
      await turn()
      if (name === 'GetEventSourceMappingCommand') return { State: 'Disabled' }
      if (input.Enabled) enabled++
      return {}
    },
  }
  const sqs = {
    send: async () => {
      for (let turns = 0; turns < 5; turns++) await turn()
      throw Object.assign(new Error('not allowed'), { name: 'AccessDenied' })
    },
  }
  const checkpoint = { ...checkpointOf(runOf('new')), seeded: false }
  const job = {
    clients: { sqs: sqs as unknown as SQSClient, lambda: lambda as unknown as LambdaClient },
    outputs: { listMappingId: 'l', copyMappingId: 'c', listQueueUrl: 'list' },
    found: { checkpoint, etag: '' },
    signal: new AbortController().signal,
  } as unknown as Job
  const timing = { now: () => 0, sleep: turn, random: () => 0.5 }
  const tools = { timing, log: { info: () => {}, warning: () => {} } }
  await expect(follow(job, tools)).rejects.toThrow('not allowed')
  const before = enabled
  expect(before).toBeGreaterThan(2)
  for (let turns = 0; turns < 50; turns++) await turn()
  expect(enabled).toBe(before)
})

test.each([true, false])('a job that is cancelled while its run begins stops it: wait %s', async (wait) => {
  const job = new AbortController()
  const deleted: string[] = []
  const sqs = {
    send: async ({ input, constructor: { name } }: { input: { QueueUrl: string } } & Command) => {
      if (name === 'SendMessageBatchCommand') job.abort()
      if (name === 'DeleteQueueCommand') deleted.push(input.QueueUrl)
      return {}
    },
  }
  const timing = sleptTiming()
  const store = new FakeS3().store()
  const checkpoint = checkpointOf(runOf('new'))
  const etag = await store.write(checkpoint, undefined)
  const course = follow(
    {
      inputs: { wait, pollSeconds: 1 },
      // One that takes minutes to be enabled.
      clients: { sqs, lambda: { send: async () => ({ State: 'Enabling' }) } },
      outputs: { listMappingId: 'l', copyMappingId: 'c', listQueueUrl: 'list' },
      found: { checkpoint, etag },
      store,
      signal: job.signal,
    } as unknown as Job,
    { timing, log: { info: () => {}, warning: () => {} } },
  )
  expect(await course).toMatchObject({ ending: 'cancelled' })
  expect(deleted).toEqual(['queue-of-new'])
  expect(timing.now()).toBeLessThan(5_000)
})
