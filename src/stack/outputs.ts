import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { UserError } from '../errors.ts'

/** What a run needs to know of its stack: the `Outputs` of template.yaml. */
export type StackOutputs = {
  /** Version of S3-71 that the stack is of. */
  version: string
  listQueueUrl: string
  copyQueueUrl: string
  deadLetterQueueUrl: string
  /** A run's queue is named by this and the run's id. */
  runQueuePrefix: string
  listFunctionName: string
  copyFunctionName: string
  /** Ids of the event source mappings that feed the functions. */
  listMappingId: string
  copyMappingId: string
}

/** A stack as CloudFormation describes it, whatever state it is in. */
export type Stack = {
  /** Its ARN, under which it can be described even when it is deleted. */
  id: string
  name: string
  /** Such as `CREATE_COMPLETE`. */
  status: string
  statusReason: string | undefined
  terminationProtection: boolean
  /** When it was last created or updated: milliseconds since the epoch. */
  changedAt: number
  parameters: ReadonlyMap<string, string>
  tags: ReadonlyMap<string, string>
  outputs: ReadonlyMap<string, string>
}

/** A parameter that only stacks of our template have. */
const OWN_PARAMETER = 'Fingerprint'

/** What CloudFormation knows of a stack by its name or ARN, or undefined when there is none. One API call. */
export async function describeStack(cfn: CloudFormationClient, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks } = await cfn.send(new DescribeStacksCommand({ StackName: name }))
    const stack = Stacks?.[0]
    if (!stack) return undefined
    return {
      id: stack.StackId ?? '',
      name: stack.StackName ?? name,
      status: stack.StackStatus ?? '',
      statusReason: stack.StackStatusReason,
      terminationProtection: stack.EnableTerminationProtection ?? false,
      changedAt: (stack.LastUpdatedTime ?? stack.CreationTime)?.getTime() ?? 0,
      parameters: new Map(stack.Parameters?.map((it) => [it.ParameterKey ?? '', it.ParameterValue ?? ''])),
      tags: new Map(stack.Tags?.map((it) => [it.Key ?? '', it.Value ?? ''])),
      outputs: new Map(stack.Outputs?.map((it) => [it.OutputKey ?? '', it.OutputValue ?? ''])),
    }
  } catch (error) {
    if (isMissingStack(error)) return undefined
    throw error
  }
}

/** Whether a stack is one of ours, made from some version of template.yaml. */
export function isOwnStack({ parameters }: Stack): boolean {
  return parameters.has(OWN_PARAMETER)
}

/** The outputs that a run needs. Throws a UserError that names the missing ones. */
export function readOutputs({ name, status, outputs }: Stack): StackOutputs {
  const missing: string[] = []
  const read = (key: string) => {
    const value = outputs.get(key)
    if (!value) missing.push(key)
    return value ?? ''
  }
  const found = {
    version: read('Version'),
    listQueueUrl: read('ListQueueUrl'),
    copyQueueUrl: read('CopyQueueUrl'),
    deadLetterQueueUrl: read('DeadLetterQueueUrl'),
    runQueuePrefix: read('RunQueuePrefix'),
    listFunctionName: read('ListFunctionName'),
    copyFunctionName: read('CopyFunctionName'),
    listMappingId: read('ListMappingId'),
    copyMappingId: read('CopyMappingId'),
  }
  if (missing.length > 0)
    throw new UserError(
      `The stack ${name} (${status}) lacks the outputs ${missing.join(', ')}. It is not a stack of this version of S3-71.`,
    )
  return found
}

/** CloudFormation has no error code of its own for this (the AWS SAM CLI goes by the text as well). */
function isMissingStack(error: unknown): boolean {
  return error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message)
}
