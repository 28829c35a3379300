import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateChangeSetCommand, DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import {
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import { CreateQueueCommand, DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { UserError } from '../../../src/errors.ts'
import { afterRun, ensureStack } from '../../../src/stack/index.ts'
import { describeStack, readOutputs } from '../../../src/stack/outputs.ts'
import { VERSION } from '../../../src/stack/version.ts'
import { changedTemplate, emptyAccount, STACK, TEMPLATE, tools, writeCode } from './support.ts'

/** Each test deploys a stack, which takes a second, and more on a busy machine. */
jest.setTimeout(300_000)

let account: Awaited<ReturnType<typeof emptyAccount>>
let folder: string

beforeEach(async () => {
  account = await emptyAccount()
  folder = mkdtempSync(join(tmpdir(), 's3-71-deploy-'))
})
afterEach(async () => {
  await account.stop()
  rmSync(folder, { recursive: true })
})

async function ensure(changes: Partial<typeof account.request> = {}, on = tools()) {
  return await ensureStack(account.clients, { ...account.request, ...changes }, on)
}

const parameter = (name: string) => account.aws.stacks.get(STACK).blueprint?.parameters.get(name)

async function outputs() {
  const stack = await describeStack(account.clients.cfn, STACK)
  if (!stack) throw new Error('there is no stack')
  return readOutputs(stack)
}

/** The message of the UserError that a call ends with. */
async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(UserError)
  return (error as Error).message
}

describe('a stack that is absent', () => {
  test('is created, with the code from the action’s own bucket, and its events in the log', async () => {
    const on = tools()
    const { how, outputs } = await ensure({}, on)
    expect(how).toBe('created')
    expect(outputs).toMatchObject({
      version: '1.0.0',
      runQueuePrefix: 's3-71-run-',
      listFunctionName: 's3-71-list',
    })
    expect(account.aws.lambda.get('s3-71-copy').handler).toBe('copy/index.handler')
    expect(parameter('SourceBucketArns')).toBe('arn:aws:s3:::photos-old')
    expect(on.lines).toContain('CREATE_COMPLETE AWS::Lambda::Function CopyFunction')
    expect(on.lines.at(-1)).toBe('CREATE_COMPLETE AWS::CloudFormation::Stack s3-71')
  })

  test('gets its code from under the hash of the code, in a bucket that clears up checkpoints and keeps code to roll back to', async () => {
    await ensure()
    const Bucket = 's3-71-000000000000-eu-west-1-an'
    const code = readFileSync(account.request.codePath)
    const Key = `functions/${createHash('sha256').update(code).digest('hex')}.zip`
    const { Body } = await account.clients.s3.send(new GetObjectCommand({ Bucket, Key }))
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(code)).toBe(true)
    const { Rules } = await account.clients.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    expect(Rules).toMatchObject([
      { Status: 'Enabled', Expiration: { Days: 14 }, Filter: { Prefix: 'runs/' } },
    ])
  })

  test('gets its code from a bucket that clears up checkpoints, also where a step was cut off while it made that', async () => {
    let cutOff = true
    account.clients.s3.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'PutBucketLifecycleConfigurationCommand' && cutOff) throw new Error('cut off')
          return await next(args)
        },
      { step: 'initialize' },
    )
    await expect(ensure()).rejects.toThrow('cut off')
    cutOff = false
    await ensure()
    const Bucket = 's3-71-000000000000-eu-west-1-an'
    const { Rules } = await account.clients.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    expect(Rules).toMatchObject([{ Status: 'Enabled', Expiration: { Days: 14 } }])
  })

  test('gets its code from a bucket that another step makes at the same time', async () => {
    const changes: Record<string, number> = {}
    account.clients.s3.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          const count = (changes[commandName] ?? 0) + 1
          changes[commandName] = count
          if (/^PutBucketL|^PutPublicA/.test(commandName) && count === 1)
            throw Object.assign(new Error('Please try again.'), { name: 'OperationAborted' })
          return await next(args)
        },
      { step: 'initialize' },
    )
    await ensure()
    expect(changes).toMatchObject({
      PutPublicAccessBlockCommand: 2,
      PutBucketLifecycleConfigurationCommand: 2,
    })
    const Bucket = 's3-71-000000000000-eu-west-1-an'
    const { Rules } = await account.clients.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    expect(Rules).toMatchObject([{ Status: 'Enabled', Expiration: { Days: 14 } }])
  })

  test('gets its code from a bucket of the user’s', async () => {
    await ensure({ artifactBucket: 'films-new' })
    const { Contents } = await account.clients.s3.send(new ListObjectsV2Command({ Bucket: 'films-new' }))
    expect(Contents).toMatchObject([{ Key: expect.stringMatching(/^functions\/[0-9a-f]{64}\.zip$/) }])
    expect(account.calls).not.toContain('S3 CreateBucket')
  })

  test('is not created when the bucket for its code is somebody else’s', async () => {
    account.aws.s3.store.createBucket('s3-71-000000000000-eu-west-1-an', {
      region: 'eu-west-1',
      owner: '999988887777',
    })
    expect(await refusal(ensure())).toMatch(/belongs to another account/)
    expect(account.aws.stacks.list()).toEqual([])
  })

  test('is not created when the bucket for its code is not there', async () => {
    expect(await refusal(ensure({ artifactBucket: 'nowhere-at-all' }))).toMatch(
      /artifact-bucket.*nowhere-at-all/,
    )
    expect(account.aws.stacks.list()).toEqual([])
  })

  test('of which only a change set was made is created', async () => {
    await account.clients.cfn.send(
      new CreateChangeSetCommand({
        StackName: STACK,
        ChangeSetName: 'left-behind',
        ChangeSetType: 'CREATE',
        TemplateBody: 'Resources: { Queue: { Type: AWS::SQS::Queue } }',
      }),
    )
    expect(account.aws.stacks.get(STACK).status).toBe('REVIEW_IN_PROGRESS')
    expect((await ensure()).how).toBe('created')
  })

  test.each(['CreateChangeSetCommand', 'ExecuteChangeSetCommand'])(
    'is created by this step though an answer gets lost, so that the SDK makes the call again: %s',
    async (lost) => {
      account.clients.cfn.middlewareStack.add(
        (next, { commandName }) =>
          async (args) => {
            if (commandName === lost) await next(args)
            return await next(args)
          },
        { step: 'initialize', priority: 'low' },
      )
      expect((await ensure()).how).toBe('created')
    },
  )

  test('is not created under `deploy: never`, which says so', async () => {
    expect(await refusal(ensure({ deploy: 'never' }))).toMatch(/no stack s3-71 in eu-west-1.*never/)
    expect(account.calls).toEqual(['CloudFormation DescribeStacks'])
  })

  test('is not created for buckets that do not exist', async () => {
    const message = await refusal(ensure({ sourceBucket: 'fotos-old', destinationBucket: 'fotos-new' }))
    expect(message).toMatch(/fotos-old.*fotos-new/)
    expect(account.aws.stacks.list()).toEqual([])
  })

  test('is not created for more functions than the account can run', async () => {
    await account.stop()
    account = await emptyAccount({ concurrency: 10 })
    const message = await refusal(ensure({ maxConcurrency: 50 }))
    expect(message).toMatch(/max-concurrency: 50 copy and 12 list .* 10 .* Set it to 8 or less/)
    expect((await ensure({ maxConcurrency: 8 })).how).toBe('created')
  })

  test('that can’t be made is taken away again, and the first failure is named', async () => {
    const codePath = join(folder, 'broken.zip')
    writeFileSync(codePath, 'this is no zip')
    const message = await refusal(ensure({ codePath }))
    expect(message).toMatch(
      /could not be created.*What failed first: ListFunction \(AWS::Lambda::Function\): .*zip/i,
    )
    expect(await describeStack(account.clients.cfn, STACK)).toBeUndefined()
    expect((await ensure()).how).toBe('created')
  })

  test('whose template CloudFormation refuses says why', async () => {
    const templatePath = await changedTemplate(
      folder,
      'Type: AWS::SQS::QueuePolicy',
      'Type: AWS::SQS::Nothing',
    )
    await expect(ensure({ templatePath })).rejects.toThrow(
      /Unrecognized resource types: \[AWS::SQS::Nothing\]/,
    )
  })
})

describe('a stack that was deployed by hand', () => {
  const deploy = async (parameters: Record<string, string>) =>
    await account.aws.deploy({
      stackName: STACK,
      template: TEMPLATE,
      parameters: {
        SourceBucketArns: 'arn:aws:s3:::photos-old',
        DestinationBucketArns: 'arn:aws:s3:::photos-new',
        CopyMaxConcurrency: '8',
        ...parameters,
      },
    })

  test('has no fingerprint, of which nothing is said', async () => {
    await deploy({ ListMaxConcurrency: '2' })
    const on = tools()
    expect((await ensure({ deploy: 'never' }, on)).how).toBe('reused')
    expect(on.lines).toEqual([])
  })

  test('and is not as the run would have it is used with a warning of what can be set', async () => {
    await deploy({})
    const on = tools()
    await ensure({ deploy: 'never' }, on)
    expect(on.lines).toEqual([
      'WARNING The stack s3-71 differs from what this run’s inputs ask for: ListMaxConcurrency.',
    ])
  })
})

describe('a stack that is there', () => {
  beforeEach(async () => {
    await ensure()
    account.calls.length = 0
  })

  test('is reused as it is with one call', async () => {
    expect((await ensure()).how).toBe('reused')
    expect(account.calls).toEqual(['CloudFormation DescribeStacks'])
    expect((await ensure({ deploy: 'never' })).how).toBe('reused')
  })

  test('is updated in place for other code', async () => {
    const before = account.aws.lambda.get('s3-71-list').codeSha256
    const codePath = writeCode(folder, 'export const handler = async () => "new"')
    const { how } = await ensure({ codePath })
    expect(how).toBe('updated')
    expect(account.aws.lambda.get('s3-71-list').codeSha256).not.toBe(before)
    expect((await ensure({ codePath })).how).toBe('reused')
  })

  test('of another version is told of under `deploy: never`, and brought to this one under `auto`', async () => {
    const templatePath = await changedTemplate(folder, `Value: ${VERSION}`, 'Value: 0.9.0')
    expect((await ensure({ templatePath })).outputs.version).toBe('0.9.0')
    const on = tools()
    expect((await ensure({ deploy: 'never' }, on)).outputs.version).toBe('0.9.0')
    expect(on.lines).toEqual([
      `WARNING The stack s3-71 is version 0.9.0, but this action is version ${VERSION}.`,
    ])
    expect(await ensure()).toMatchObject({ how: 'updated', outputs: { version: VERSION } })
  })

  test('gets the rights on the buckets of another run, and keeps those that it has', async () => {
    expect((await ensure({ sourceBucket: 'films-old', destinationBucket: 'films-new' })).how).toBe('updated')
    expect(parameter('SourceBucketArns')).toBe('arn:aws:s3:::photos-old,arn:aws:s3:::films-old')
    expect((await ensure()).how).toBe('reused')
  })

  test('keeps the parameters that a run says nothing of, and its tags', async () => {
    const key = 'arn:aws:kms:eu-west-1:000000000000:key/1'
    await ensure({ sourceKmsKey: key, tags: { team: 'photos' } })
    await ensure({ maxConcurrency: 12, tags: { cost: '7' } })
    expect(parameter('SourceKmsKeyArns')).toBe(key)
    expect(parameter('CopyMaxConcurrency')).toBe('12')
    expect(account.aws.stacks.get(STACK).tags).toEqual({ team: 'photos', cost: '7' })
  })

  test.each([
    ["didn't contain changes", (template: string) => template],
    ['No updates are to be performed', (template: string) => `${template}# a remark\n`],
  ])('is reused when CloudFormation says: %s', async (_, remark) => {
    // A fingerprint that nothing is made of: CloudFormation sees another value, and nothing to do.
    const templatePath = await changedTemplate(folder, / Build \${Fingerprint}/g, '')
    await ensure({ templatePath })
    const stack = account.aws.stacks.get(STACK)
    writeFileSync(templatePath, remark(readFileSync(templatePath, 'utf8')))
    const changeSets = [...stack.changeSets.keys()]
    const parameters = stack.blueprint?.parameters as Map<string, string> | undefined
    parameters?.set('Fingerprint', '0')
    expect((await ensure({ templatePath })).how).toBe('reused')
    expect([...stack.changeSets.keys()]).toEqual(changeSets)
    expect(account.calls).toContain('CloudFormation DeleteChangeSet')
  })

  test('that is being changed by somebody else is waited for', async () => {
    const stack = account.aws.stacks.get(STACK)
    stack.enter('UPDATE_IN_PROGRESS')
    const on = tools()
    const ensuring = ensure({}, on)
    await delay(60)
    expect(on.lines).toContain(
      'Somebody else is changing the stack s3-71 (UPDATE_IN_PROGRESS). Waiting for that to finish.',
    )
    stack.enter('UPDATE_COMPLETE')
    expect((await ensuring).how).toBe('reused')
  })

  test('that somebody else never gets done with is waited for half an hour', async () => {
    account.aws.stacks.get(STACK).enter('UPDATE_IN_PROGRESS')
    let minutes = 0
    const on = tools()
    on.timing.now = () => minutes++ * 60_000
    expect(await refusal(ensure({}, on))).toMatch(/still UPDATE_IN_PROGRESS after 30 minutes/)
  })

  test('that is being deleted is waited for and created anew', async () => {
    await account.clients.cfn.send(new DeleteStackCommand({ StackName: STACK }))
    expect((await ensure()).how).toBe('created')
  })

  test.each(['ROLLBACK_COMPLETE', 'CREATE_FAILED', 'DELETE_FAILED'])(
    'in %s is deleted and created anew',
    async (status) => {
      const stack = account.aws.stacks.get(STACK)
      stack.status = status
      expect(await refusal(ensure({ deploy: 'never' }))).toMatch(
        new RegExp(`${status}.*only be deleted.*never`),
      )
      expect((await ensure()).how).toBe('created')
      expect(account.aws.stacks.get(STACK).id).not.toBe(stack.id)
    },
  )

  test('in ROLLBACK_COMPLETE and protected from deletion is left alone', async () => {
    const stack = account.aws.stacks.get(STACK)
    stack.status = 'ROLLBACK_COMPLETE'
    stack.terminationProtected = true
    expect(await refusal(ensure())).toMatch(/protected.*update-termination-protection/)
  })

  test.each(['UPDATE_ROLLBACK_FAILED', 'UPDATE_FAILED', 'IMPORT_ROLLBACK_FAILED'])(
    'in %s is left to a person',
    async (status) => {
      account.aws.stacks.get(STACK).enter(status, 'a function could not be put back')
      expect(await refusal(ensure())).toMatch(new RegExp(`${status} \\(a function could not be put back\\)`))
    },
  )

  test('whose update fails goes back, and the first failure is named', async () => {
    const codePath = join(folder, 'broken.zip')
    writeFileSync(codePath, 'this is no zip')
    const message = await refusal(ensure({ codePath }))
    expect(message).toMatch(
      /could not be updated and is now UPDATE_ROLLBACK_COMPLETE. What failed first: ListFunction/,
    )
    expect((await ensure()).how).toBe('reused')
  })

  test('whose functions understand other messages is not updated while a run is going on', async () => {
    const older = {
      ...account.request,
      templatePath: await changedTemplate(folder, "Value: '1'", "Value: '0'"),
    }
    const on = tools()
    await ensureStack(account.clients, older, on)
    const { sqs } = account.clients
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 's3-71-run-other' }))
    expect(await refusal(ensure())).toMatch(
      /runs are in progress .* another version of this action.*\n- other, .*s3-71-run-other$/s,
    )
    await sqs.send(new DeleteQueueCommand({ QueueUrl }))
    expect((await ensure()).how).toBe('updated')
  })

  test('whose functions understand the same messages is updated beside a run', async () => {
    const { sqs } = account.clients
    await sqs.send(new CreateQueueCommand({ QueueName: 's3-71-run-other' }))
    expect((await ensure({ maxConcurrency: 9 })).how).toBe('updated')
  })

  test('is not touched when it is somebody else’s', async () => {
    await account.clients.cfn.send(new DeleteStackCommand({ StackName: STACK }))
    await account.aws.stacks.get(STACK).operation
    account.aws.stacks.create({
      stackName: STACK,
      template: 'Resources: { Queue: { Type: AWS::SQS::Queue } }',
    })
    await account.aws.stacks.get(STACK).operation
    expect(await refusal(ensure())).toMatch(/not a stack of S3-71/)
    await expect(outputs()).rejects.toThrow(/lacks the outputs Version, ListQueueUrl/)
    expect(account.aws.stacks.get(STACK).status).toBe('CREATE_COMPLETE')
  })

  test('under `deploy: never` without rights on the run’s buckets is refused, and without less said', async () => {
    const message = await refusal(ensure({ deploy: 'never', sourceBucket: 'films-old' }))
    expect(message).toMatch(/lack permissions.*add arn:aws:s3:::films-old to SourceBucketArns/)
    const on = tools()
    await ensure({ deploy: 'never', maxConcurrency: 9 }, on)
    expect(on.lines).toEqual([
      'WARNING The stack s3-71 differs from what this run’s inputs ask for: CopyMaxConcurrency.',
    ])
  })

  test('is deleted after a run, but not while another one is going on', async () => {
    const on = tools()
    const stack = { name: STACK, outputs: await outputs() }
    const end = () => afterRun('delete', { status: 'succeeded' }, account.clients, stack, on)
    const { QueueUrl } = await account.clients.sqs.send(
      new CreateQueueCommand({ QueueName: 's3-71-run-other' }),
    )
    await end()
    expect(on.lines).toEqual([
      expect.stringMatching(
        `^The stack s3-71 stays as it is, because another run is in progress.*\\n- other, .*${QueueUrl}$`,
      ),
    ])
    await account.clients.sqs.send(new DeleteQueueCommand({ QueueUrl }))
    await end()
    expect(on.lines.at(-1)).toBe('The stack s3-71 is deleted.')
    expect(account.aws.stacks.list()).toEqual([])
  })

  test.each(['failed', 'cancelled'] as const)(
    'is paused instead of deleted after a run whose status is %s, with its dead-letter queue',
    async (status) => {
      const on = tools()
      const stack = { name: STACK, outputs: await outputs() }
      const { deadLetterQueueUrl, copyMappingId, listMappingId } = stack.outputs
      await afterRun('delete', { status }, account.clients, stack, on)
      expect(on.lines).toEqual([
        'The stack s3-71 is paused. It polls nothing until the next run.',
        'It is not deleted, because the run did not succeed: its dead-letter queue and logs remain.',
      ])
      expect(account.aws.stacks.get(STACK).status).toBe('CREATE_COMPLETE')
      expect(account.aws.queues.listQueues().queues.map(({ url }) => url)).toContain(deadLetterQueueUrl)
      for (const id of [listMappingId, copyMappingId])
        expect(account.aws.lambda.mapping(id).state).toMatch(/^Disabl/)
    },
  )
})

describe('two workflows at once', () => {
  test('on no stack: one creates it, the other waits and reuses it', async () => {
    const both = await Promise.all([ensure(), ensure()])
    expect(both.map(({ how }) => how).sort()).toEqual(['created', 'reused'])
    expect(both[0]?.outputs).toEqual(both[1]?.outputs)
  })

  test('with other buckets each: both have their rights in the end', async () => {
    await ensure()
    const runs = [ensure({ sourceBucket: 'films-old' }), ensure({ destinationBucket: 'films-new' })]
    expect((await Promise.all(runs)).map(({ how }) => how)).toEqual(['updated', 'updated'])
    expect(parameter('SourceBucketArns')).toContain('films-old')
    expect(parameter('DestinationBucketArns')).toContain('films-new')
  })

  test('one of which looked before the other had changed anything: it undoes nothing of that', async () => {
    await ensure()
    let late = true
    account.clients.cfn.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'CreateChangeSetCommand' && late) {
            late = false
            await ensure({ sourceBucket: 'films-old' })
          }
          return await next(args)
        },
      { step: 'initialize' },
    )
    expect((await ensure({ sourceBucket: 'photos-new', destinationBucket: 'photos-old' })).how).toBe(
      'updated',
    )
    expect(parameter('SourceBucketArns')?.split(',').sort()).toEqual([
      'arn:aws:s3:::films-old',
      'arn:aws:s3:::photos-new',
      'arn:aws:s3:::photos-old',
    ])
  })
})
