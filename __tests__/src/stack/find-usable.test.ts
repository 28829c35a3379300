import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { expect, test } from '@jest/globals'
import { findUsable } from '../../../src/stack/index.ts'
import { tools } from './support.ts'

const OUTPUTS = [
  'Version',
  'ListQueueUrl',
  'CopyQueueUrl',
  'DeadLetterQueueUrl',
  'RunQueuePrefix',
  'ListFunctionName',
  'CopyFunctionName',
  'ListMappingId',
  'CopyMappingId',
].map((OutputKey) => ({ OutputKey, OutputValue: `the ${OutputKey}` }))

/** A stack that has these statuses, one after the other; the last one stays. */
function cloudFormation(statuses: string[], parameter = 'Fingerprint'): CloudFormationClient {
  const send = async ({ constructor: { name } }: { constructor: { name: string } }) => {
    if (name === 'DescribeStackEventsCommand') return { StackEvents: [] }
    const [status = ''] = statuses.length > 1 ? statuses.splice(0, 1) : statuses
    if (status === 'missing')
      throw Object.assign(new Error('Stack with id s3-71 does not exist'), { name: 'ValidationError' })
    return {
      Stacks: [
        {
          StackId: 'arn',
          StackName: 's3-71',
          StackStatus: status,
          Parameters: [{ ParameterKey: parameter, ParameterValue: 'x' }],
          Outputs: OUTPUTS,
        },
      ],
    }
  }
  return { send } as unknown as CloudFormationClient
}

test.each([
  ['at rest', ['CREATE_COMPLETE']],
  ['being created', ['CREATE_IN_PROGRESS', 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE']],
  ['rolled back to what it was', ['UPDATE_ROLLBACK_IN_PROGRESS', 'UPDATE_ROLLBACK_COMPLETE']],
])('a stack that is %s can be paused when nothing is under way', async (_, statuses) => {
  const outputs = await findUsable(cloudFormation(statuses), 's3-71', tools())
  expect(outputs).toMatchObject({ copyMappingId: 'the CopyMappingId' })
})

test.each([
  ['missing', ['missing']],
  ['deleted after it could not be created', ['CREATE_IN_PROGRESS', 'DELETE_IN_PROGRESS', 'missing']],
  ['broken', ['ROLLBACK_COMPLETE']],
  ['no more than a change set', ['REVIEW_IN_PROGRESS']],
])('a stack that is %s is none to pause', async (_, statuses) => {
  expect(await findUsable(cloudFormation(statuses), 's3-71', tools())).toBeUndefined()
})

test('somebody else’s stack of that name is let alone', async () => {
  expect(await findUsable(cloudFormation(['CREATE_COMPLETE'], 'Theirs'), 's3-71', tools())).toBeUndefined()
})
