import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { uploadCode } from '../../../src/stack/artifact.ts'
import { nameCalls, resume } from '../../../src/stack/index.ts'
import { describeStack } from '../../../src/stack/outputs.ts'
import { activeRuns } from '../../../src/stack/runs.ts'
import { tools } from './support.ts'

/** An AWS that refuses everything, in the words of each service's protocol. */
const REFUSALS: Array<[scope: RegExp, headers: Record<string, string>, body: string]> = [
  [
    /cloudformation\/aws4/,
    { 'content-type': 'text/xml' },
    '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:sts::111122223333:assumed-role/ci/x is not authorized to perform: cloudformation:DescribeStacks on resource: arn:aws:cloudformation:eu-west-1:111122223333:stack/s3-71/*</Message></Error></ErrorResponse>',
  ],
  [/lambda\/aws4/, { 'x-amzn-errortype': 'AccessDeniedException' }, '{"Message":"no"}'],
  [
    /sqs\/aws4/,
    { 'content-type': 'application/x-amz-json-1.0' },
    '{"__type":"com.amazonaws.sqs#AccessDeniedException","message":"no"}',
  ],
  [
    /s3\/aws4/,
    { 'content-type': 'application/xml' },
    '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
  ],
]

let server: Server
let config: {
  endpoint: string
  region: string
  credentials: { accessKeyId: string; secretAccessKey: string }
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const [, headers = {}, body = ''] =
      REFUSALS.find(([scope]) => scope.test(request.headers.authorization ?? '')) ?? []
    request.resume().on('end', () => response.writeHead(403, headers).end(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  config = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  }
})
afterAll(() => {
  server.close()
})

const mappings = { listMappingId: '1', copyMappingId: '2' }
const code = { code: Buffer.from('zip'), codeHash: 'c0de'.repeat(16) }
const home = { accountId: '111122223333', region: 'eu-west-1' }

test.each<[string, () => Promise<unknown>]>([
  [
    'cloudformation:DescribeStacks',
    () => describeStack(nameCalls(new CloudFormationClient(config)), 's3-71'),
  ],
  ['lambda:UpdateEventSourceMapping', () => resume(nameCalls(new LambdaClient(config)), mappings, tools())],
  ['sqs:ListQueues', () => activeRuns(nameCalls(new SQSClient(config)), 's3-71-run-', 0)],
  [
    's3:PutObject',
    () => uploadCode(nameCalls(new S3Client({ ...config, forcePathStyle: true })), code, home, 'own'),
  ],
  [
    's3:ListBucket',
    () => uploadCode(nameCalls(new S3Client({ ...config, forcePathStyle: true })), code, home),
  ],
])('a refused call names the permission %s, once', async (permission, call) => {
  const error = (await call().catch((thrown: unknown) => thrown)) as Error
  expect(error).toBeInstanceOf(Error)
  expect(error.message.split(permission)).toHaveLength(2)
})

test('other errors stay as they are', async () => {
  const sts = nameCalls(new STSClient({ ...config, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 }))
  const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
  await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.not.toThrow(/permission/)
})

test('a permission that AWS names is the one that is missing', async () => {
  const message = 'User: arn:aws:iam::1:user/u is not authorized to perform: s3:ListBucket on resource: "b"'
  const client = {
    middlewareStack: {
      add: (
        middleware: (next: () => Promise<never>, context: object) => (args: object) => Promise<never>,
      ) => {
        call = middleware(() => Promise.reject(Object.assign(new Error(message), { name: 'AccessDenied' })), {
          clientName: 'S3Client',
          commandName: 'GetObjectCommand',
        })
      },
    },
  }
  let call: (args: object) => Promise<unknown> = async () => undefined
  nameCalls(client as unknown as Parameters<typeof nameCalls>[0])
  await expect(call({})).rejects.toThrow(new Error(message))
})
