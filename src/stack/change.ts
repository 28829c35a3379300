import { randomBytes, randomUUID } from 'node:crypto'
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

type Change = {
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
    if (typeof changeSet === 'string') return changeSet
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
): Promise<ChangeSet | 'unchanged' | 'overtaken'> {
  const isNew = conditionOf(before) === 'absent'
  const kept = isNew ? [] : PARAMETERS.filter((name) => !parameters.has(name) && before?.parameters.has(name))
  const ChangeSetName = `s3-71-${randomBytes(8).toString('hex')}`
  const { Id = '', StackId = '' } = await cfn.send(
    new CreateChangeSetCommand({
      StackName: stackName,
      ChangeSetName,
      // The SDK repeats a call whose answer got lost: this tells it from another one (CloudFormation API reference, CreateChangeSet).
      ClientToken: ChangeSetName,
      ChangeSetType: isNew ? 'CREATE' : 'UPDATE',
      TemplateBody: template,
      Parameters: [
        ...[...parameters].map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
        ...kept.map((ParameterKey) => ({ ParameterKey, UsePreviousValue: true })),
      ],
      ...(Object.keys(tags).length > 0 && { Tags: allTags(before, tags) }),
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
    // Executing a change set deletes all others of the stack.
    if (changeSet.Status?.startsWith('DELETE')) return 'overtaken'
    await timing.sleep(POLL_MS)
  }
}

/** A change set that names tags takes the others away; those of AWS itself can't be named. */
function allTags(
  before: Stack | undefined,
  tags: Record<string, string>,
): Array<{ Key: string; Value: string }> {
  const kept = [...(before?.tags ?? [])].filter(([name]) => !name.startsWith('aws:'))
  return Object.entries({ ...Object.fromEntries(kept), ...tags }).map(([Key, Value]) => ({ Key, Value }))
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
  await cfn.send(
    new ExecuteChangeSetCommand({
      ChangeSetName: id,
      StackName: stackId,
      // Repeated without it, the call would find a stack that is being changed, as if by somebody else.
      ClientRequestToken: randomUUID(),
    }),
  )
  const stack = await events.follow(before)
  if (stack?.status === 'CREATE_COMPLETE' || stack?.status === 'UPDATE_COMPLETE') return stack
  const what = conditionOf(before) === 'absent' ? 'created' : 'updated'
  const cause = events.firstFailure ?? stack?.statusReason ?? 'CloudFormation does not say'
  const advice = /not authorized to perform/.test(cause)
    ? '. The workflow’s role lacks that permission: see docs/permissions.md.'
    : /policy size/i.test(cause)
      ? '. The stack serves more buckets than a role’s policies have room for. Use another `stack-name` for these buckets.'
      : ''
  throw new UserError(
    `The stack ${stackName} could not be ${what} and is now ${stack?.status ?? 'gone'}. What failed first: ${cause}${advice}`,
  )
}
