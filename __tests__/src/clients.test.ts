import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HeadBucketCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createClients } from '../../src/clients.ts'

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
