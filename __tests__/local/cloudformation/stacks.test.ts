import {
  CloudFormationClient,
  CreateChangeSetCommand,
  type CreateChangeSetInput,
  CreateStackCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  type DescribeChangeSetOutput,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  type Stack,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation'
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Aws, startAws } from '../../../local/index.ts'
import { until, zipOf } from '../support.ts'

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Description: a queue that feeds a function
Parameters:
  Visibility: { Type: Number, Default: 60 }
  QueueName: { Type: String, Default: '' }
  CodeKey: { Type: String, Default: code.zip }
  Secret: { Type: String, Default: hidden, NoEcho: true }
Conditions:
  IsNamed: !Not [!Equals [!Ref QueueName, '']]
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: { Bucket: code, Key: !Ref CodeKey }
      Handler: index.handler
      Runtime: nodejs24.x
      Timeout: 30
      Environment: { Variables: { QUEUE_URL: !Ref Tasks } }
      Events:
        Tasks: { Type: SQS, Properties: { Queue: !GetAtt Tasks.Arn, BatchSize: 1 } }
  Tasks:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !If [IsNamed, !Ref QueueName, !Ref AWS::NoValue]
      VisibilityTimeout: !Ref Visibility
  TasksPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Tasks]
      PolicyDocument: { Version: '2012-10-17', Statement: [] }
Outputs:
  Url: { Value: !Ref Tasks, Description: where the tasks are }
  Name: { Value: !Ref Worker }
`
const CAPABILITIES = ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'] as const

let aws: Aws
let cloudFormation: CloudFormationClient
let lambda: LambdaClient
let s3: S3Client
let sqs: SQSClient
let StackName: string
let number = 0

beforeAll(async () => {
  aws = await startAws()
  const config = { endpoint: aws.url, region: aws.region, credentials: aws.credentials }
  cloudFormation = new CloudFormationClient(config)
  lambda = new LambdaClient(config)
  s3 = new S3Client({ ...config, forcePathStyle: true })
  sqs = new SQSClient(config)
  await s3.send(new CreateBucketCommand({ Bucket: 'code' }))
  const code = zipOf('export const handler = async () => process.env.QUEUE_URL')
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key: 'code.zip', Body: code }))
  await s3.send(new PutObjectCommand({ Bucket: 'code', Key: 'template.yaml', Body: TEMPLATE }))
})
beforeEach(() => {
  StackName = `stack-${++number}`
})
afterAll(async () => {
  for (const client of [cloudFormation, lambda, s3, sqs]) client.destroy()
  await aws.stop()
})

async function describeStack(name = StackName): Promise<Stack> {
  const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: name }))
  return Stacks[0] as Stack
}

async function untilStack(status: string, name = StackName): Promise<Stack> {
  return await until(`the stack is ${status}`, async () => {
    const stack = await describeStack(name)
    if (stack.StackStatus === status) return stack
    if (!stack.StackStatus?.endsWith('_IN_PROGRESS'))
      throw new Error(`the stack is ${stack.StackStatus}: ${stack.StackStatusReason}`)
    return undefined
  })
}

const outputsOf = ({ Outputs = [] }: Stack) =>
  Object.fromEntries(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]))

const parametersOf = (values: Record<string, string>) =>
  Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }))

async function createStack(parameters: Record<string, string> = {}): Promise<void> {
  await cloudFormation.send(
    new CreateStackCommand({
      StackName,
      TemplateBody: TEMPLATE,
      Parameters: parametersOf(parameters),
      Capabilities: [...CAPABILITIES],
      Tags: [{ Key: 'team', Value: 'movers & shakers' }],
    }),
  )
}

/** Makes a change set and waits until it is complete or has failed. */
async function changeSet(
  kind: 'CREATE' | 'UPDATE',
  parameters: Record<string, string> = {},
  more: Partial<CreateChangeSetInput> = {},
): Promise<DescribeChangeSetOutput> {
  await cloudFormation.send(
    new CreateChangeSetCommand({
      StackName,
      ChangeSetName: 'next',
      ChangeSetType: kind,
      TemplateBody: TEMPLATE,
      Parameters: parametersOf(parameters),
      Capabilities: [...CAPABILITIES],
      ...more,
    }),
  )
  return await until('the change set is ready', async () => {
    const described = await cloudFormation.send(
      new DescribeChangeSetCommand({ StackName, ChangeSetName: 'next' }),
    )
    return described.Status === 'CREATE_IN_PROGRESS' ? undefined : described
  })
}

async function execute(): Promise<void> {
  await cloudFormation.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName: 'next' }))
}

async function events(): Promise<Array<string | undefined>> {
  const { StackEvents = [] } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName }))
  return StackEvents.map(({ LogicalResourceId, ResourceStatus }) => `${LogicalResourceId} ${ResourceStatus}`)
}

async function visibility(url: string | undefined): Promise<string | undefined> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['VisibilityTimeout'] }),
  )
  return Attributes?.VisibilityTimeout
}

describe('a stack', () => {
  test('is created with its resources, described, and deleted with them', async () => {
    await createStack({ Visibility: '45' })
    expect((await describeStack()).StackStatus).toBe('CREATE_IN_PROGRESS')
    const stack = await untilStack('CREATE_COMPLETE')
    const { Url, Name } = outputsOf(stack)
    expect(stack.Description).toBe('a queue that feeds a function')
    expect(stack.Tags).toEqual([{ Key: 'team', Value: 'movers & shakers' }])
    expect(stack.Parameters).toContainEqual({ ParameterKey: 'Visibility', ParameterValue: '45' })
    expect(stack.Parameters).toContainEqual({ ParameterKey: 'Secret', ParameterValue: '****' })
    expect(stack.Outputs).toContainEqual({
      OutputKey: 'Url',
      OutputValue: Url,
      Description: 'where the tasks are',
    })
    expect(await visibility(Url)).toBe('45')
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: Name }))
    expect(Environment?.Variables).toEqual({ QUEUE_URL: Url })
    const { TemplateBody } = await cloudFormation.send(new GetTemplateCommand({ StackName }))
    expect(TemplateBody).toBe(TEMPLATE)

    await cloudFormation.send(new DeleteStackCommand({ StackName }))
    await untilStack('DELETE_COMPLETE', stack.StackId)
    await expect(describeStack()).rejects.toMatchObject({
      name: 'ValidationError',
      message: `Stack with id ${StackName} does not exist`,
    })
    await expect(visibility(Url)).rejects.toThrow(/does not exist/)
    await expect(
      lambda.send(new GetFunctionConfigurationCommand({ FunctionName: Name })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  test('tells in its events what was done, the latest first', async () => {
    await createStack()
    await untilStack('CREATE_COMPLETE')
    const seen = (await events()).reverse()
    expect(seen[0]).toBe(`${StackName} CREATE_IN_PROGRESS`)
    expect(seen.at(-1)).toBe(`${StackName} CREATE_COMPLETE`)
    for (const id of ['Tasks', 'TasksPolicy', 'Worker', 'WorkerRole', 'WorkerTasks'])
      expect(seen.filter((line) => line?.startsWith(`${id} `))).toEqual([
        `${id} CREATE_IN_PROGRESS`,
        `${id} CREATE_COMPLETE`,
      ])
  })

  test('whose resource fails is rolled back, and can only be deleted', async () => {
    await createStack({ CodeKey: 'missing.zip' })
    await untilStack('ROLLBACK_COMPLETE')
    const { StackEvents = [] } = await cloudFormation.send(new DescribeStackEventsCommand({ StackName }))
    expect(StackEvents.find(({ ResourceStatus }) => ResourceStatus === 'CREATE_FAILED')).toMatchObject({
      LogicalResourceId: 'Worker',
      ResourceStatusReason: expect.stringContaining('NoSuchKey'),
    })
    expect(await events()).toContain('Tasks DELETE_COMPLETE')
    await expect(changeSet('UPDATE')).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining('is in ROLLBACK_COMPLETE state and can not be updated'),
    })
    await cloudFormation.send(new DeleteStackCommand({ StackName }))
    await until('it is gone', () =>
      describeStack().then(
        () => false,
        () => true,
      ),
    )
    await createStack()
    await untilStack('CREATE_COMPLETE')
  })

  test('that is protected cannot be deleted', async () => {
    await createStack()
    await untilStack('CREATE_COMPLETE')
    const protect = (EnableTerminationProtection: boolean) =>
      cloudFormation.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection }))
    await protect(true)
    expect((await describeStack()).EnableTerminationProtection).toBe(true)
    await expect(cloudFormation.send(new DeleteStackCommand({ StackName }))).rejects.toThrow(
      /TerminationProtection is enabled/,
    )
    await protect(false)
    await cloudFormation.send(new DeleteStackCommand({ StackName }))
    await until('it is gone', () =>
      describeStack().then(
        () => false,
        () => true,
      ),
    )
  })

  test.each<[string, Partial<ConstructorParameters<typeof CreateStackCommand>[0]>, string, RegExp]>([
    ['without its capabilities', { Capabilities: [] }, 'InsufficientCapabilitiesException', /CAPABILITY_IAM/],
    [
      'with a template above 51,200 bytes',
      { TemplateBody: `${TEMPLATE}#${'x'.repeat(51_200)}` },
      'ValidationError',
      /51200/,
    ],
    [
      'with a parameter that is not there',
      { Parameters: parametersOf({ Odd: '1' }) },
      'ValidationError',
      /Odd/,
    ],
  ])('%s is refused', async (_, input, name, message) => {
    const command = new CreateStackCommand({
      StackName,
      TemplateBody: TEMPLATE,
      Capabilities: [...CAPABILITIES],
      ...input,
    })
    await expect(cloudFormation.send(command)).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
    })
    await expect(describeStack()).rejects.toThrow(/does not exist/)
  })

  test('that exists is not created again', async () => {
    await createStack()
    await expect(createStack()).rejects.toMatchObject({ name: 'AlreadyExistsException' })
  })
})

describe('a change set', () => {
  test('creates a stack, which is under review until then', async () => {
    const planned = await changeSet('CREATE')
    expect(planned).toMatchObject({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE' })
    expect(planned.Changes?.map(({ ResourceChange }) => ResourceChange?.Action)).toEqual(Array(5).fill('Add'))
    expect((await describeStack()).StackStatus).toBe('REVIEW_IN_PROGRESS')
    await execute()
    const { Url } = outputsOf(await untilStack('CREATE_COMPLETE'))
    expect(await visibility(Url)).toBe('60')
  })

  test('takes a template from S3', async () => {
    await changeSet('CREATE', {}, { TemplateBody: undefined, TemplateURL: `${aws.url}/code/template.yaml` })
    await execute()
    await untilStack('CREATE_COMPLETE')
  })

  test('changes properties in place', async () => {
    await createStack()
    const { Url } = outputsOf(await untilStack('CREATE_COMPLETE'))
    const planned = await changeSet('UPDATE', { Visibility: '90' })
    expect(
      planned.Changes?.map(({ ResourceChange: change }) => [change?.LogicalResourceId, change?.Replacement]),
    ).toEqual([['Tasks', 'False']])
    await execute()
    const stack = await untilStack('UPDATE_COMPLETE')
    expect(outputsOf(stack).Url).toBe(Url)
    expect(stack.LastUpdatedTime).toBeInstanceOf(Date)
    expect(await visibility(Url)).toBe('90')
  })

  test('replaces a queue whose name changes, and all that depends on it', async () => {
    await createStack()
    const before = outputsOf(await untilStack('CREATE_COMPLETE'))
    const planned = await changeSet('UPDATE', { QueueName: `${StackName}-named` })
    expect(planned.Changes?.map(({ ResourceChange }) => ResourceChange?.LogicalResourceId)).toEqual(
      expect.arrayContaining(['Tasks', 'Worker', 'WorkerTasks', 'TasksPolicy']),
    )
    await execute()
    const after = outputsOf(await untilStack('UPDATE_COMPLETE'))
    expect(after.Url).toMatch(/-named$/)
    const { Environment } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: after.Name }),
    )
    expect(Environment?.Variables).toEqual({ QUEUE_URL: after.Url })
    await expect(visibility(before.Url)).rejects.toThrow(/does not exist/)
    expect([...aws.lambda.mappings.values()].map(({ settings }) => settings.queueArn)).toContainEqual(
      expect.stringMatching(`:${StackName}-named$`),
    )
  })

  test('that fails half-way is rolled back', async () => {
    await createStack()
    const { Url, Name } = outputsOf(await untilStack('CREATE_COMPLETE'))
    await changeSet('UPDATE', { Visibility: '90', CodeKey: 'missing.zip' })
    await execute()
    await untilStack('UPDATE_ROLLBACK_COMPLETE')
    expect(await visibility(Url)).toBe('60')
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: Name }))
    expect(JSON.parse(Payload?.transformToString() ?? '')).toBe(Url)
  })

  test.each([
    ['the same template', TEMPLATE, /The submitted information didn't contain changes/],
    ['another comment', `${TEMPLATE}# a comment\n`, /No updates are to be performed/],
    ['another output', `${TEMPLATE}  More: { Value: '1' }\n`, /No updates are to be performed/],
  ])('without changes fails: %s', async (_, TemplateBody, reason) => {
    await createStack()
    await untilStack('CREATE_COMPLETE')
    const planned = await changeSet('UPDATE', {}, { TemplateBody })
    expect(planned).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason: expect.stringMatching(reason),
    })
    await expect(execute()).rejects.toMatchObject({ name: 'InvalidChangeSetStatusException' })
    await cloudFormation.send(new DeleteChangeSetCommand({ StackName, ChangeSetName: 'next' }))
    await expect(
      cloudFormation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName: 'next' })),
    ).rejects.toMatchObject({ name: 'ChangeSetNotFoundException' })
  })

  test('keeps what is not given again', async () => {
    await createStack({ Visibility: '45' })
    await untilStack('CREATE_COMPLETE')
    const planned = await changeSet(
      'UPDATE',
      {},
      {
        TemplateBody: undefined,
        UsePreviousTemplate: true,
        Parameters: [{ ParameterKey: 'Visibility', UsePreviousValue: true }],
      },
    )
    expect(planned.Status).toBe('FAILED')
    expect(planned.Parameters).toContainEqual({ ParameterKey: 'Visibility', ParameterValue: '45' })
  })

  test('is not made for a stack at work, nor for one that is missing', async () => {
    await expect(changeSet('UPDATE')).rejects.toThrow(`Stack [${StackName}] does not exist`)
    await createStack()
    await expect(changeSet('UPDATE')).rejects.toThrow(/is in CREATE_IN_PROGRESS state and can not be updated/)
    await untilStack('CREATE_COMPLETE')
    await expect(changeSet('CREATE')).rejects.toThrow(/already exists and cannot be created again/)
  })

  test('with OnStackFailure DELETE leaves nothing of a stack that fails', async () => {
    await changeSet('CREATE', { CodeKey: 'missing.zip' }, { OnStackFailure: 'DELETE' })
    await execute()
    await until('it is gone', () =>
      describeStack().then(
        () => false,
        () => true,
      ),
    )
  })
})

test('an update leaves a mapping disabled that was disabled since', async () => {
  await createStack()
  await untilStack('CREATE_COMPLETE')
  const { Name } = outputsOf(await describeStack())
  const mapping = [...aws.lambda.mappings.values()].find(({ settings }) => settings.functionName === Name)
  mapping?.update({ enabled: false })
  await mapping?.settled
  await changeSet('UPDATE', {}, { TemplateBody: TEMPLATE.replace('BatchSize: 1', 'BatchSize: 2') })
  await execute()
  await untilStack('UPDATE_COMPLETE')
  expect(mapping).toMatchObject({ state: 'Disabled', settings: { batchSize: 2, enabled: false } })
})
