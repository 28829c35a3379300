import { type CloudFormationClient, DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import { UserError } from '../errors.ts'
import { StackEvents } from './events.ts'
import { isOwnStack, type Stack } from './outputs.ts'
import { conditionOf } from './states.ts'
import type { Tools } from './tools.ts'

/**
 * Deletes a stack and waits until it is gone. Throws a UserError when it is protected, not ours, or can't be deleted,
 * with the first failed resource.
 */
export async function removeStack(cfn: CloudFormationClient, stack: Stack, tools: Tools): Promise<void> {
  if (!isOwnStack(stack)) throw foreignStack(stack)
  if (stack.terminationProtection)
    throw new UserError(
      `The stack ${stack.name} (${stack.status}) has to be deleted, but is protected from that. Turn its termination protection off: \`aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${stack.name}\``,
    )
  const events = new StackEvents(cfn, stack.id, tools)
  await events.skip()
  await cfn.send(new DeleteStackCommand({ StackName: stack.id }))
  const left = await events.follow(stack)
  if (conditionOf(left) !== 'absent')
    throw new UserError(
      `The stack ${stack.name} could not be deleted and is now ${left?.status}. What failed first: ${events.firstFailure ?? left?.statusReason ?? 'CloudFormation does not say'}`,
    )
}

/** A stack that has the name but was made from somebody else's template must not be touched. */
export function foreignStack({ name }: Stack): UserError {
  return new UserError(
    `The stack ${name} exists, but is not a stack of S3-71. Use another \`stack-name\`. Nothing was changed.`,
  )
}
