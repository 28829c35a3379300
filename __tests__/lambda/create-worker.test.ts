import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createWorker } from '../../lambda/create-worker.ts'

const VARIABLES = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
  LIST_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/list',
  COPY_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/copy',
}
const before = { ...process.env }
beforeEach(() => {
  delete process.env.AWS_ENDPOINT_URL
  Object.assign(process.env, VARIABLES)
})
afterEach(() => {
  process.env = { ...before }
})

/** A worker whose requests end here: each host is noted, and as many are throttled as said. */
function worker(throttled = 0) {
  const { deps } = createWorker('copy')
  const hosts: string[] = []
  deps.sqs.config.requestHandler = {
    handle: async ({ hostname }: { hostname: string }) => {
      hosts.push(hostname)
      const isThrottled = hosts.length <= throttled
      const body = isThrottled ? { __type: 'com.amazonaws.sqs#RequestThrottled' } : { Attributes: {} }
      return {
        response: {
          statusCode: isThrottled ? 400 : 200,
          headers: { 'content-type': 'application/x-amz-json-1.0' },
          body: Readable.from([JSON.stringify(body)]),
        },
      }
    },
  } as never
  return { gate: deps.gate, hosts }
}

test('a task can’t choose the host that signed requests go to', async () => {
  const { gate, hosts } = worker()
  await gate.isOpen('https://collector.example/1/s3-71-run-1')
  expect(hosts).toEqual(['sqs.eu-west-1.amazonaws.com'])
})

test('SQS may throttle a call more often than the SDK puts up with by itself', async () => {
  const { gate, hosts } = worker(4)
  expect(await gate.isOpen('https://sqs.eu-west-1.amazonaws.com/1/s3-71-run-1')).toBe(true)
  expect(hosts).toHaveLength(5)
}, 300_000)

test('a missing variable is named', () => {
  delete process.env.COPY_QUEUE_URL
  expect(() => createWorker('copy')).toThrow(/COPY_QUEUE_URL is not set; it comes from the stack/)
})
