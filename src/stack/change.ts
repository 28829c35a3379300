import { randomBytes } from 'node:crypto'
import {
  type CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  type DescribeChangeSetOutput,
  ExecuteChangeSetCommand,
} from '@aws-sdk/client-cloudformation'
import { UserError } from '../errors.ts'
import { StackEvents } from './events.ts'
import { describeStack, type Stack } from './outputs.ts'
import { PARAMETERS } from './parameters.ts'
import { conditionOf, hasMoved } from './states.ts'
import type { Tools } from './tools.ts'

const POLL_MS = 1_500
/** How CloudFormation says that a change set changes nothing (the AWS SAM CLI goes by the same two texts). */
const NO_CHANGES = /didn't contain changes|No updates are to be performed/
/** What CloudFormation throws when a stack or change set is not, or no longer, in the state that a call needs. */
const STATE_ERRORS = [
  'ValidationError',
  'ChangeSetNotFoundException',
  'ChangeSetNotFound',
  'InvalidChangeSetStatusException',
  'InvalidChangeSetStatus',
]

export type Change = {
  stackName: string
  /** The stack as it was seen before, or undefined. */
  before: Stack | undefined
  template: string
  /** The parameters to set; others keep their value. */
  parameters: ReadonlyMap<string, string>
  tags: Record<string, string>
}

/**
 * Creates or updates a stack by a change set, showing its events, and returns it when it is at rest.
 *
 * Returns `unchanged` when CloudFormation finds nothing to do, and `overtaken` when somebody else changes the stack at
 * the same time: then look again. Throws a UserError that names the first failed resource.
 */
export async function applyChange(
  cfn: CloudFormationClient,
  change: Change,
  tools: Tools,
): Promise<Stack | 'unchanged' | 'overtaken'> {
  try {
    const changeSet = await createChangeSet(cfn, change, tools)
    if (changeSet === 'unchanged') return 'unchanged'
    // The parameters build on those that were seen. Whoever has changed the stack until now would be undone; whoever does
    // it from now on makes this change set void.
    if (hasMoved(change.before, await describeStack(cfn, change.stackName))) {
      await discard(cfn, changeSet)
      return 'overtaken'
    }
    return await execute(cfn, change, changeSet, tools)
  } catch (error) {
    if (!STATE_ERRORS.includes((error as Error).name)) throw error
    const now = await describeStack(cfn, change.stackName)
    if (hasMoved(change.before, now)) return 'overtaken'
    throw error
  }
}

type ChangeSet = { id: string; stackId: string }

async function createChangeSet(
  cfn: CloudFormationClient,
  { stackName, before, template, parameters, tags }: Change,
  { timing }: Tools,
): Promise<ChangeSet | 'unchanged'> {
  const isNew = conditionOf(before) === 'absent'
  const kept = isNew ? [] : PARAMETERS.filter((name) => !parameters.has(name) && before?.parameters.has(name))
  const allTags = Object.entries({ ...Object.fromEntries(before?.tags ?? []), ...tags })
  const { Id = '', StackId = '' } = await cfn.send(
    new CreateChangeSetCommand({
      StackName: stackName,
      ChangeSetName: `s3-71-${randomBytes(8).toString('hex')}`,
      ChangeSetType: isNew ? 'CREATE' : 'UPDATE',
      TemplateBody: template,
      Parameters: [
        ...[...parameters].map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
        ...kept.map((ParameterKey) => ({ ParameterKey, UsePreviousValue: true })),
      ],
      ...(allTags.length > 0 && { Tags: allTags.map(([Key, Value]) => ({ Key, Value })) }),
      Capabilities: ['CAPABILITY_IAM'],
      // A stack whose creation failed can't be updated, only deleted: let CloudFormation do it, its events remain.
      ...(isNew && { OnStackFailure: 'DELETE' as const }),
    }),
  )
  for (;;) {
    const changeSet = await cfn.send(new DescribeChangeSetCommand({ ChangeSetName: Id, StackName: StackId }))
    if (changeSet.Status === 'CREATE_COMPLETE') return { id: Id, stackId: StackId }
    if (changeSet.Status === 'FAILED')
      return await endFailedChangeSet(cfn, { id: Id, stackId: StackId }, changeSet)
    await timing.sleep(POLL_MS)
  }
}

async function endFailedChangeSet(
  cfn: CloudFormationClient,
  changeSet: ChangeSet,
  { StatusReason = '' }: DescribeChangeSetOutput,
): Promise<'unchanged'> {
  await discard(cfn, changeSet)
  if (NO_CHANGES.test(StatusReason)) return 'unchanged'
  throw new UserError(`CloudFormation can’t make this change: ${StatusReason}`)
}

async function discard(cfn: CloudFormationClient, { id, stackId }: ChangeSet): Promise<void> {
  await cfn.send(new DeleteChangeSetCommand({ ChangeSetName: id, StackName: stackId }))
}

async function execute(
  cfn: CloudFormationClient,
  { stackName, before }: Change,
  { id, stackId }: ChangeSet,
  tools: Tools,
): Promise<Stack> {
  const events = new StackEvents(cfn, stackId, tools)
  await events.skip()
  await cfn.send(new ExecuteChangeSetCommand({ ChangeSetName: id, StackName: stackId }))
  const stack = await events.follow(before)
  if (stack?.status === 'CREATE_COMPLETE' || stack?.status === 'UPDATE_COMPLETE') return stack
  const what = conditionOf(before) === 'absent' ? 'created' : 'updated'
  throw new UserError(
    `The stack ${stackName} could not be ${what} and is ${stack?.status ?? 'gone'} now. What failed first: ${events.firstFailure ?? stack?.statusReason ?? 'CloudFormation does not say'}`,
  )
}
