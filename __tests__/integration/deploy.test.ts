import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { type Aws, startAws } from '../../local/index.ts'
import { runStep, type StepResult } from '../../local/runner.ts'

jest.setTimeout(300_000)

let aws: Aws
beforeEach(async () => {
  aws = await startAws()
  for (const name of ['from-one', 'to-one', 'from-two', 'to-two']) aws.s3.store.createBucket(name)
  for (const key of ['a', 'b', 'c'])
    for (const from of ['from-one', 'from-two']) aws.s3.store.put(from, key, key)
})
afterEach(async () => {
  await aws.stop()
})

function run(
  pair: 'one' | 'two',
  more: Record<string, string> = {},
  env: Record<string, string> = {},
): Promise<StepResult> {
  const inputs = {
    source: `s3://from-${pair}`,
    destination: `s3://to-${pair}`,
    'max-concurrency': '3',
    'poll-interval': '1',
    ...more,
  }
  return runStep({ inputs, env: { ...aws.env, ...env } })
}

/** Whether the stack's mappings poll, or are about to. */
const polling = () => [...aws.lambda.mappings.values()].map(({ state }) => /^Enabl/.test(state))

test('a first run in an empty account deploys the stack, a second reuses it, and it is paused in between', async () => {
  const first = await run('one')
  expect(first.log).toMatch(/Creating the stack s3-71 in us-east-1/)
  expect(first.log).toMatch(/^CREATE_COMPLETE AWS::Lambda::Function CopyFunction$/m)
  expect(first.log).toMatch(/Created in /)
  expect(first.exitCode).toBe(0)
  expect(first.outputs).toMatchObject({ listed: '3', copied: '3' })
  expect(polling()).toEqual([false, false])

  const second = await run('one', { 'after-run': 'keep' })
  expect(second.log).toMatch(/Reused in .*, 3 API calls/)
  expect(second.outputs).toMatchObject({ listed: '3', copied: '3' })
  expect(polling()).toEqual([true, true])

  const third = await run('one', { 'after-run': 'delete' })
  expect(third.log).toMatch(/The stack s3-71 is deleted/)
  expect(aws.lambda.functions).toEqual([])
})

test('a stack that can’t be created ends the step, which names what failed first', async () => {
  jest.spyOn(aws.lambda, 'put').mockRejectedValueOnce(new Error('no right to lambda:CreateFunction'))
  const step = await run('one')
  expect(step.exitCode).toBe(1)
  expect(step.log).toMatch(
    /^::error::The stack s3-71 could not be created .* failed first: ListFunction .*no right to lambda:CreateFunction/m,
  )
})

test('the functions find S3 where the workflow says', async () => {
  const seen: string[] = []
  const proxy = createServer((incoming, answer) => {
    const { method, url = '', headers } = incoming
    if (headers['x-amz-copy-source'] !== undefined) seen.push(url)
    const outgoing = request(aws.url + url, { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers)
      reply.pipe(answer)
    })
    incoming.pipe(outgoing)
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const step = await run('one', {}, { AWS_ENDPOINT_URL_S3: endpoint }).finally(() => {
    proxy.close()
    proxy.closeAllConnections()
  })
  expect(step.outputs).toMatchObject({ listed: '3', copied: '3' })
  expect(seen.sort()).toEqual(['/to-one/a', '/to-one/b', '/to-one/c'])
})

test('two workflows that deploy one stack at once: one does, the other waits, and both copy', async () => {
  const steps = await Promise.all([run('one'), run('two')])
  expect(steps.map(({ exitCode, outputs }) => [exitCode, outputs.copied])).toEqual([
    [0, '3'],
    [0, '3'],
  ])
  const logs = steps.map(({ log }) => log).join('\n')
  expect(logs.match(/Created in /g)).toHaveLength(1)
  expect(logs).toMatch(/(Somebody else is changing|Another workflow has started)/)
})

test('a bucket that does not exist is told before anything is made', async () => {
  const step = await run('one', { destination: 's3://to-nowhere' })
  expect(step.exitCode).toBe(1)
  expect(step.log).toMatch(/::error::The bucket to-nowhere does not exist/)
  expect(aws.lambda.functions).toEqual([])
})

test('a source that the functions may not list is told before anything is sent', async () => {
  expect((await run('one')).exitCode).toBe(0)
  aws.s3.store.deny({ action: 's3:ListBucket', bucket: 'from-one' })
  const step = await run('one')
  expect(step.exitCode).toBe(1)
  expect(step.log).toMatch(/source: the list function can't list s3:\/\/from-one\/: AccessDenied/)
  expect(step.outputs).toEqual({ status: 'failed' })
})
