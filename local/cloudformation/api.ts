import type { Handler } from '../http.ts'
import { type Action, createQueryApi, type QueryParams } from '../query.ts'
import type { ChangeSet } from './change-set.ts'
import { ValidationError } from './errors.ts'
import type { OnFailure } from './operations.ts'
import type { GivenParameter } from './parameters.ts'
import type { ReadObject } from './resources/lambda.ts'
import type { Stack } from './stack.ts'
import type { StackInput, Stacks } from './stacks.ts'

/** Bytes of a template in the request itself at most (CloudFormation quotas). */
const BODY_BYTES = 51_200

/** Serves the calls of CloudFormation's API that deploy, show and delete a stack. */
export function createCloudFormationApi(stacks: Stacks, readObject: ReadObject): Handler {
  const createdOnce = onceForToken()
  const executedOnce = onceForToken()
  const actions: Record<string, Action> = {
    CreateStack: async (params) => ({ StackId: stacks.create(await stackInput(params, readObject)).id }),
    DeleteStack: ({ StackName }) => stacks.delete(text(StackName)),
    DescribeStacks: ({ StackName }) => ({
      Stacks: (StackName ? [stacks.get(text(StackName))] : stacks.list()).map(describeStack),
    }),
    DescribeStackEvents: ({ StackName }) => ({ StackEvents: describeEvents(stacks.get(text(StackName))) }),
    GetTemplate: ({ StackName }) => ({ TemplateBody: stacks.get(text(StackName)).blueprint?.body ?? '' }),
    UpdateTerminationProtection: ({ StackName, EnableTerminationProtection }) => {
      const stack = stacks.get(text(StackName))
      stack.terminationProtected = EnableTerminationProtection === 'true'
      return { StackId: stack.id }
    },
    CreateChangeSet: (params) =>
      createdOnce(params.ClientToken, async () => {
        const { stack, changeSet } = stacks.createChangeSet({
          ...(await stackInput(params, readObject)),
          changeSetName: text(params.ChangeSetName),
          kind: params.ChangeSetType === 'CREATE' ? 'CREATE' : 'UPDATE',
          description: optionalText(params.Description),
        })
        return { Id: changeSet.id, StackId: stack.id }
      }),
    DescribeChangeSet: ({ ChangeSetName, StackName }) =>
      describeChangeSet(stacks.changeSet(text(ChangeSetName), optionalText(StackName))),
    ExecuteChangeSet: ({ ChangeSetName, StackName, ClientRequestToken }) =>
      executedOnce(ClientRequestToken, () =>
        stacks.executeChangeSet(text(ChangeSetName), optionalText(StackName)),
      ),
    DeleteChangeSet: ({ ChangeSetName, StackName }) =>
      stacks.deleteChangeSet(text(ChangeSetName), optionalText(StackName)),
  }
  return createQueryApi(
    'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    new Map(Object.entries(actions)),
  )
}

/** What was done for a token is not done again: a call whose answer got lost is repeated with it. */
function onceForToken(): (token: QueryParams[string], work: () => unknown) => Promise<unknown> {
  const answers = new Map<QueryParams[string], unknown>()
  return async (token, work) => {
    if (token !== undefined && answers.has(token)) return answers.get(token)
    const answer = await work()
    answers.set(token, answer)
    return answer
  }
}

async function stackInput(params: QueryParams, readObject: ReadObject): Promise<StackInput> {
  const tags = list(params.Tags) as Array<{ Key: string; Value: string }>
  return {
    stackName: text(params.StackName),
    template: await readTemplate(params, readObject),
    parameters: list(params.Parameters) as GivenParameter[],
    ...(params.Tags !== undefined && {
      tags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])),
    }),
    capabilities: list(params.Capabilities) as string[],
    onFailure: (params.OnStackFailure ?? params.OnFailure ?? 'ROLLBACK') as OnFailure,
    terminationProtected: params.EnableTerminationProtection === 'true',
  }
}

async function readTemplate(
  { TemplateBody, TemplateURL, UsePreviousTemplate }: QueryParams,
  readObject: ReadObject,
): Promise<string | undefined> {
  if (TemplateURL) {
    const { bucket, key } = objectOf(text(TemplateURL))
    try {
      return Buffer.from(await readObject(bucket, key)).toString('utf8')
    } catch (error) {
      throw new ValidationError(`S3 error: ${(error as Error).message}`)
    }
  }
  if (UsePreviousTemplate === 'true') return undefined
  const body = text(TemplateBody)
  if (Buffer.byteLength(body) > BODY_BYTES)
    throw new ValidationError(
      `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${BODY_BYTES}`,
    )
  return body
}

/** Bucket and key of an object's URL, in virtual-hosted or in path style. */
function objectOf(url: string): { bucket: string; key: string } {
  const { hostname, pathname } = new URL(url)
  const virtual = /^(.+)\.s3[.-][^/]*amazonaws\.com/.exec(hostname)?.[1]
  const path = decodeURIComponent(pathname.slice(1))
  const slash = path.indexOf('/')
  return virtual
    ? { bucket: virtual, key: path }
    : { bucket: path.slice(0, slash), key: path.slice(slash + 1) }
}

function describeStack(stack: Stack): object {
  return {
    StackId: stack.id,
    StackName: stack.name,
    Description: stack.blueprint?.description,
    CreationTime: stack.createdAt,
    LastUpdatedTime: stack.updatedAt,
    DeletionTime: stack.deletedAt,
    StackStatus: stack.status,
    StackStatusReason: stack.statusReason,
    DisableRollback: false,
    EnableTerminationProtection: stack.terminationProtected,
    Capabilities: stack.capabilities,
    Parameters: describeParameters(stack.blueprint),
    Outputs: stack.outputs.map(({ key, value, description }) => ({
      OutputKey: key,
      OutputValue: value,
      Description: description,
    })),
    Tags: describeTags(stack.tags),
  }
}

function describeEvents({ id: StackId, name: StackName, events }: Stack): object[] {
  return events.toReversed().map(({ id, logicalId, physicalId, type, status, reason, time }) => ({
    StackId,
    StackName,
    EventId: id,
    LogicalResourceId: logicalId,
    PhysicalResourceId: physicalId,
    ResourceType: type,
    ResourceStatus: status,
    ResourceStatusReason: reason,
    Timestamp: time,
  }))
}

function describeChangeSet({ stack, changeSet }: { stack: Stack; changeSet: ChangeSet }): object {
  return {
    ChangeSetId: changeSet.id,
    ChangeSetName: changeSet.name,
    StackId: stack.id,
    StackName: stack.name,
    Description: changeSet.description,
    CreationTime: changeSet.createdAt,
    Status: changeSet.status,
    StatusReason: changeSet.statusReason,
    ExecutionStatus: changeSet.executionStatus,
    Capabilities: changeSet.capabilities,
    Parameters: describeParameters(changeSet.blueprint),
    Tags: describeTags(changeSet.tags),
    Changes: changeSet.changes.map(({ action, logicalId, physicalId, type, replaced }) => ({
      Type: 'Resource',
      ResourceChange: {
        Action: action,
        LogicalResourceId: logicalId,
        PhysicalResourceId: physicalId,
        ResourceType: type,
        Replacement: action === 'Modify' ? (replaced ? 'True' : 'False') : undefined,
      },
    })),
  }
}

function describeParameters(blueprint: ChangeSet['blueprint'] | undefined): object[] {
  return [...(blueprint?.parameters ?? [])].map(([key, value]) => ({
    ParameterKey: key,
    ParameterValue: blueprint?.isSecret(key) ? '****' : value,
  }))
}

function describeTags(tags: Record<string, string>): object[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

function text(value: QueryParams[string]): string {
  if (typeof value === 'string') return value
  throw new ValidationError('1 validation error detected: a required parameter is missing')
}

function optionalText(value: QueryParams[string]): string | undefined {
  return value === undefined ? undefined : text(value)
}

/** An empty list comes as an empty text. */
function list(value: QueryParams[string]): unknown[] {
  return Array.isArray(value) ? value : []
}
