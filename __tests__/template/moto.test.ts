import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetEventSourceMappingCommand, GetFunctionCommand } from '@aws-sdk/client-lambda'
import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
} from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { StackRequest } from '../../src/stack/ensure.ts'
import { afterRun, ensureStack, type StackOutputs } from '../../src/stack/index.ts'
import { describeStack, readOutputs } from '../../src/stack/outputs.ts'
import { type Clients, clientsFor, STACK, TEMPLATE, tools, writeCode } from '../src/stack/support.ts'
import { describeWithPython, python, startMoto } from './python.ts'

/** Python and moto take seconds to start, and more on a busy machine. */
jest.setTimeout(60_000)

/** The template, expanded by AWS's SAM translator and deployed by the action's code on an AWS that is not ours. */
describeWithPython('on moto', ['moto', 'samtranslator'], () => {
  const region = 'eu-west-1'
  const account = '123456789012'
  let moto: Awaited<ReturnType<typeof startMoto>>
  let clients: Clients
  let calls: string[]
  let folder: string
  let request: StackRequest
  let outputs: StackOutputs

  beforeAll(async () => {
    moto = await startMoto()
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    ;({ clients, calls } = clientsFor({ endpoint: moto.url, region, credentials }))
    for (const Bucket of ['photos-old', 'photos-new'])
      await clients.s3.send(
        new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
      )
    folder = mkdtempSync(join(tmpdir(), 's3-71-moto-'))
    request = {
      stackName: STACK,
      region,
      deploy: 'auto',
      sourceBucket: 'photos-old',
      destinationBucket: 'photos-new',
      maxConcurrency: 40,
      destinationKmsKey: `arn:aws:kms:${region}:${account}:key/1`,
      templatePath: TEMPLATE,
      codePath: writeCode(folder, 'export const handler = async () => ({})'),
    }
    const ensured = await ensureStack(clients, request, tools())
    expect(ensured.how).toBe('created')
    outputs = ensured.outputs
  })
  afterAll(async () => {
    for (const client of Object.values(clients ?? {})) client.destroy()
    await moto?.stop()
    if (folder) rmSync(folder, { recursive: true })
  })

  const attributes = async (QueueUrl: string) =>
    (await clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })))
      .Attributes ?? {}

  test('the queues feed the DLQ after five receives, and it keeps messages longer', async () => {
    const dlq = await attributes(outputs.deadLetterQueueUrl)
    for (const url of [outputs.listQueueUrl, outputs.copyQueueUrl]) {
      const queue = await attributes(url)
      expect(JSON.parse(queue.RedrivePolicy ?? '')).toEqual({
        deadLetterTargetArn: dlq.QueueArn,
        maxReceiveCount: 5,
      })
      expect(queue.VisibilityTimeout).toBe('600')
      expect(Number(dlq.MessageRetentionPeriod)).toBeGreaterThan(Number(queue.MessageRetentionPeriod))
    }
  })

  test.each(['list', 'copy'] as const)('the %s queue feeds the function of that name', async (kind) => {
    const queueUrl = kind === 'list' ? outputs.listQueueUrl : outputs.copyQueueUrl
    const mapping = await clients.lambda.send(
      new GetEventSourceMappingCommand({
        UUID: kind === 'list' ? outputs.listMappingId : outputs.copyMappingId,
      }),
    )
    expect(mapping).toMatchObject({
      EventSourceArn: (await attributes(queueUrl)).QueueArn,
      FunctionArn: `arn:aws:lambda:${region}:${account}:function:s3-71-${kind}`,
      BatchSize: 1,
      State: 'Enabled',
    })
    const { Configuration } = await clients.lambda.send(
      new GetFunctionCommand({
        FunctionName: kind === 'list' ? outputs.listFunctionName : outputs.copyFunctionName,
      }),
    )
    expect(Configuration).toMatchObject({
      Runtime: 'nodejs24.x',
      Handler: `${kind}/index.handler`,
      MemorySize: kind === 'list' ? 1769 : 256,
      Timeout: 300,
      CodeSize: readFileSync(request.codePath).length,
      Environment: {
        Variables: { LIST_QUEUE_URL: outputs.listQueueUrl, COPY_QUEUE_URL: outputs.copyQueueUrl },
      },
    })
  })

  test('the code is in a private bucket of the account that clears up checkpoints only', async () => {
    const Bucket = `s3-71-${account}-${region}-an`
    const code = readFileSync(request.codePath)
    const Key = `functions/${createHash('sha256').update(code).digest('hex')}.zip`
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key }))
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(code)).toBe(true)
    const { PublicAccessBlockConfiguration } = await clients.s3.send(
      new GetPublicAccessBlockCommand({ Bucket }),
    )
    expect(Object.values(PublicAccessBlockConfiguration ?? {})).toEqual([true, true, true, true])
    const { Rules } = await clients.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    expect(
      Rules?.map(({ Status, Expiration, Filter }) => [Status, Expiration?.Days, Filter?.Prefix]),
    ).toEqual([['Enabled', 14, 'runs/']])
  })

  describe('the roles', () => {
    type Statement = { Sid: string; Action: string | string[]; Resource: string | string[] }

    /** moto's IAM is asked with boto3, which it brings: the action itself has no use for an IAM client. */
    async function statements(logicalId: string): Promise<Record<string, Statement>> {
      const script = `
import ast, boto3, json
iam = boto3.client("iam", endpoint_url="${moto.url}", aws_access_key_id="test", aws_secret_access_key="test")
[role] = [r["RoleName"] for r in iam.list_roles(PathPrefix="/s3-71/${STACK}/")["Roles"] if "${logicalId}" in r["RoleName"]]
[policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
# moto gives what CloudFormation handed it as Python shows it, not as JSON.
print(json.dumps(ast.literal_eval(document)["Statement"]))`
      const { stdout, stderr } = python(['-c', script])
      if (stdout === '') throw new Error(stderr)
      return Object.fromEntries(
        // Where CloudFormation leaves out a statement that is AWS::NoValue, moto says None.
        (JSON.parse(stdout) as Array<Statement | null>).flatMap((it) => (it ? [[it.Sid, it]] : [])),
      )
    }

    test('the list function may list the source and use its queues', async () => {
      const found = await statements('ListFunctionRole')
      expect(found.ListSources?.Resource).toEqual(['arn:aws:s3:::photos-old'])
      expect(found.SpawnTasks?.Resource).toEqual([
        (await attributes(outputs.listQueueUrl)).QueueArn,
        (await attributes(outputs.copyQueueUrl)).QueueArn,
      ])
      expect(found.ReportOutcomes?.Resource).toBe(`arn:aws:sqs:${region}:${account}:s3-71-run-*`)
    })

    test('the copy function may read the source’s objects and write the destination’s', async () => {
      const found = await statements('CopyFunctionRole')
      expect(found.ReadSources?.Resource).toEqual(['arn:aws:s3:::photos-old/*'])
      expect(found.WriteDestinations?.Resource).toEqual(['arn:aws:s3:::photos-new/*'])
      expect(found.EncryptCopies?.Resource).toEqual([request.destinationKmsKey])
      expect(found).not.toHaveProperty('DecryptSources')
    })
  })

  test('it is found again, paused, resumed and deleted', async () => {
    const found = await describeStack(clients.cfn, STACK)
    expect(found && readOutputs(found)).toEqual(outputs)
    const stack = { name: STACK, outputs }
    await afterRun('pause', { status: 'succeeded' }, clients, stack, tools())
    const { State } = await clients.lambda.send(
      new GetEventSourceMappingCommand({ UUID: outputs.copyMappingId }),
    )
    expect(State).toBe('Disabled')
    await afterRun('delete', { status: 'succeeded' }, clients, stack, tools())
    expect(await describeStack(clients.cfn, STACK)).toBeUndefined()
    expect(calls).toContain('CloudFormation DeleteStack')
  })
})
