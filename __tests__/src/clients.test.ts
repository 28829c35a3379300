import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda'
import { HeadBucketCommand } from '@aws-sdk/client-s3'
import { ListQueuesCommand } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createClients } from '../../src/clients.ts'
import { isPassing } from '../../src/patience.ts'

const saved = { ...process.env }
beforeEach(() => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' })
})
afterEach(() => {
  process.env = { ...saved }
})

test('an S3 at an endpoint of its own is asked for buckets by path, as the functions do: it has no names for them', async () => {
  const seen: string[] = []
  const server = createServer(({ url = '', headers }, answer) => {
    seen.push(`${headers.host} ${url}`)
    answer.end()
  }).listen(0)
  await once(server, 'listening')
  const host = `localhost:${(server.address() as AddressInfo).port}`
  process.env.AWS_ENDPOINT_URL_S3 = `http://${host}`
  const { s3 } = createClients('eu-west-1')
  // Names of buckets below such a host lead nowhere as a rule.
  await s3.send(new HeadBucketCommand({ Bucket: 'photos' })).catch(() => undefined)
  s3.destroy()
  server.close()
  expect(seen).toEqual([`${host} /photos/`])
})

test('AWS itself is asked by the bucket’s own name', async () => {
  for (const name of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3']) delete process.env[name]
  const { s3 } = createClients('eu-west-1')
  expect(s3.config.forcePathStyle).toBe(false)
  s3.destroy()
})

describe('a network that swallows what is sent', () => {
  /** Clients of a server that answers the first requests in this way, and the others as SQS does when it has no queue. */
  async function setUp(first: (answer: ServerResponse) => void, times: number) {
    let asked = 0
    const server = createServer((_, answer) => {
      if (asked++ < times) first(answer)
      else answer.end('{}')
    }).listen(0)
    await once(server, 'listening')
    process.env.AWS_ENDPOINT_URL = `http://localhost:${(server.address() as AddressInfo).port}`
    return {
      clients: createClients('eu-west-1', 500),
      asked: () => asked,
      [Symbol.dispose]() {
        server.close()
        server.closeAllConnections()
      },
    }
  }

  test('a call without an answer is made again', async () => {
    using network = await setUp(() => {}, 1)
    expect(await network.clients.sqs.send(new ListQueuesCommand({}))).toHaveProperty('$metadata.attempts', 2)
  })

  test('a call whose answer breaks off is made again', async () => {
    using network = await setUp((answer) => answer.writeHead(200, { 'content-length': 100 }).write('{'), 1)
    expect(await network.clients.sqs.send(new ListQueuesCommand({}))).toHaveProperty('$metadata.attempts', 2)
  })

  test('a call that is never answered fails in the end, for a reason that passes', async () => {
    using network = await setUp(() => {}, Number.POSITIVE_INFINITY)
    const call = network.clients.lambda.send(new GetAccountSettingsCommand({}))
    const error = await call.catch((thrown: unknown) => thrown)
    expect(error).toHaveProperty('name', 'TimeoutError')
    expect(isPassing(error)).toBe(true)
    expect(network.asked()).toBe(8)
  })
})
