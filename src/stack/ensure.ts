import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { S3Client } from '@aws-sdk/client-s3'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts'
import { PROTOCOL } from '../../protocol/message.ts'
import { UserError } from '../errors.ts'
import { uploadCode } from './artifact.ts'
import { type Blueprint, readBlueprint, withCode } from './blueprint.ts'
import { applyChange } from './change.ts'
import { untilAtRest } from './events.ts'
import { describeStack, isOwnStack, readOutputs, type Stack, type StackOutputs } from './outputs.ts'
import { differences, missingRights, type Wishes, wantedParameters } from './parameters.ts'
import { checkBuckets, checkConcurrency } from './preflight.ts'
import { foreignStack, removeStack } from './remove.ts'
import { activeRuns, listRuns } from './runs.ts'
import { adviceFor, conditionOf } from './states.ts'
import type { Tools } from './tools.ts'
import { VERSION } from './version.ts'

/** Looks at a stack that others keep changing. */
const LOOKS = 20

export type StackRequest = Wishes & {
  stackName: string
  region: string
  /** `auto`: create and update as needed; `never`: take the stack that is there. */
  deploy: 'auto' | 'never'
  /** A bucket of the user's in the stack's region for the functions' code. */
  artifactBucket?: string | undefined
  /** Path of template.yaml. */
  templatePath: string
  /** Path of the zip with the functions. */
  codePath: string
  /** Told before the stack is created or updated. */
  onChange?: () => void
}

type StackClients = {
  cfn: CloudFormationClient
  sqs: SQSClient
  lambda: LambdaClient
  s3: S3Client
  sts: STSClient
}

export type EnsuredStack = {
  outputs: StackOutputs
  /** The account that the stack is in. */
  accountId: string
  how: 'created' | 'updated' | 'reused'
}

/**
 * Finds the stack, and creates or updates it where `deploy` allows that and the run needs it. Reusing a stack as it is
 * costs one API call. While somebody else is at work on the stack this waits, and then looks again.
 *
 * @throws UserError for whatever a person has to mend; nothing was sent to the queues then
 */
export async function ensureStack(
  clients: StackClients,
  request: StackRequest,
  tools: Tools,
): Promise<EnsuredStack> {
  const { cfn } = clients
  const blueprint = await readBlueprint(request.templatePath, request.codePath)
  for (let look = 0; look < LOOKS; look++) {
    const stack = await describeStack(cfn, request.stackName)
    const condition = conditionOf(stack)
    if (stack && condition === 'busy') {
      tools.log.info(
        `Somebody else is changing the stack ${stack.name} (${stack.status}). Waiting for that to finish.`,
      )
      await untilAtRest(cfn, stack, tools)
    } else if (stack && condition !== 'absent' && !isOwnStack(stack)) throw foreignStack(stack)
    else if (stack && condition === 'stuck') throw stuck(stack)
    else if (request.deploy === 'never') return reuseAsItIs(stack, request, blueprint, tools)
    else if (stack && condition === 'broken') {
      tools.log.info(`The stack ${stack.name} is ${stack.status}. Deleting it, to create it again.`)
      await removeStack(cfn, stack, tools)
    } else {
      const outcome = await createOrUpdate(clients, request, stack, blueprint, tools)
      if (outcome !== 'overtaken') return outcome
      tools.log.info('Another workflow has started to change the stack.')
    }
  }
  throw new UserError(
    `The stack ${request.stackName} can’t be used, because others keep changing it. Run the step again later.`,
  )
}

function stuck(stack: Stack): UserError {
  const reason = stack.statusReason ? ` (${stack.statusReason})` : ''
  return new UserError(
    `The stack ${stack.name} is ${stack.status}${reason} and can’t be used like that. ${adviceFor(stack)}`,
  )
}

async function createOrUpdate(
  clients: StackClients,
  request: StackRequest,
  stack: Stack | undefined,
  blueprint: Blueprint,
  tools: Tools,
): Promise<EnsuredStack | 'overtaken'> {
  const before = conditionOf(stack) === 'absent' ? undefined : stack
  const known = before && accountOf(before.id)
  const wanted = (partition: string) =>
    wantedParameters(request, { ...blueprint, partition }, before?.parameters ?? new Map())
  const changes = before && known && differences(before, wanted(known.partition), request.tags)
  if (before && changes?.length === 0) return ensured(before, 'reused')
  if (before) await checkRuns(clients.sqs, before, tools.timing.now())

  const { accountId, partition } = known ?? (await callerAccount(clients.sts))
  await checkBuckets(clients.s3, [request.sourceBucket, request.destinationBucket])
  await checkConcurrency(clients.lambda, request.maxConcurrency)
  const location = await uploadCode(
    clients.s3,
    blueprint,
    { accountId, region: request.region },
    request.artifactBucket,
  )
  tools.log.info(
    changes
      ? `Updating the stack ${request.stackName}: ${changes.join(', ')}`
      : `Creating the stack ${request.stackName} in ${request.region}`,
  )
  request.onChange?.()
  const changed = await applyChange(
    clients.cfn,
    {
      stackName: request.stackName,
      before,
      template: withCode(blueprint.template, location),
      parameters: wanted(partition),
      tags: request.tags ?? {},
    },
    tools,
  )
  if (changed === 'overtaken') return changed
  if (changed === 'unchanged') return ensured(before as Stack, 'reused')
  return ensured(changed, before ? 'updated' : 'created')
}

/** Throws a UserError where runs are going on whose tasks the functions would not understand after an update: all of them would be dead letters. */
async function checkRuns(sqs: SQSClient, { name, outputs }: Stack, now: number): Promise<void> {
  if (outputs.get('Protocol') === String(PROTOCOL)) return
  const prefix = outputs.get('RunQueuePrefix')
  if (prefix === undefined) return
  const active = await activeRuns(sqs, prefix, now)
  if (active.length === 0) return
  throw new UserError(
    `The stack ${name} can’t be updated while runs are in progress that another version of this action started, because the new functions would not understand their tasks. Wait for these runs to end, attach with the version of the action that started them, or give this workflow its own \`stack-name\`. To stop a run, delete its queue.\n${listRuns(active, prefix)}`,
  )
}

/** With `deploy: never`: the stack, if the run can be served by it. Says all that is missing, and warns of what is old. */
function reuseAsItIs(
  stack: Stack | undefined,
  request: StackRequest,
  blueprint: Blueprint,
  { log }: Tools,
): EnsuredStack {
  const { stackName, region } = request
  const never = '`deploy` is `never`'
  if (!stack || conditionOf(stack) === 'absent')
    throw new UserError(
      `There is no stack ${stackName} in ${region}, and ${never}. Deploy template.yaml (version ${VERSION}) first, or use \`deploy: auto\`.`,
    )
  if (conditionOf(stack) === 'broken')
    throw new UserError(
      `The stack ${stackName} is ${stack.status} and can only be deleted, and ${never}. Delete it and deploy template.yaml (version ${VERSION}) again.`,
    )
  const found = ensured(stack, 'reused')
  const partition = accountOf(stack.id)?.partition ?? 'aws'
  const wanted = wantedParameters(request, { ...blueprint, partition }, stack.parameters)
  const missing = missingRights(stack, wanted)
  if (missing.length > 0)
    throw new UserError(
      `The functions of the stack ${stackName} lack permissions that this run needs, and ${never}. Update the stack’s parameters: ${missing.join('; ')}.`,
    )
  if (found.outputs.version !== VERSION)
    log.warning(
      `The stack ${stackName} is version ${found.outputs.version}, but this action is version ${VERSION}.`,
    )
  else {
    // Who deploys by hand leaves the fingerprint empty: only the action knows the right one.
    const byHand = stack.parameters.get('Fingerprint') === ''
    const told = differences(stack, wanted, request.tags).filter(
      (name) => !(byHand && name === 'Fingerprint'),
    )
    if (told.length > 0)
      log.warning(`The stack ${stackName} differs from what this run’s inputs ask for: ${told.join(', ')}.`)
  }
  return found
}

function ensured(stack: Stack, how: EnsuredStack['how']): EnsuredStack {
  return { outputs: readOutputs(stack), accountId: accountOf(stack.id)?.accountId ?? '', how }
}

type Account = { partition: string; accountId: string }

/** Partition and account in an ARN. */
function accountOf(arn: string): Account | undefined {
  const [, partition, , , accountId] = arn.split(':')
  return partition && accountId ? { partition, accountId } : undefined
}

async function callerAccount(sts: STSClient): Promise<Account> {
  const { Arn = '' } = await sts.send(new GetCallerIdentityCommand({}))
  const account = accountOf(Arn)
  if (!account) throw new Error(`STS names the caller ${Arn}, which is no ARN`)
  return account
}
