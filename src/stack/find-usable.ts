import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { untilAtRest } from './events.ts'
import { describeStack, isOwnStack, readOutputs, type StackOutputs } from './outputs.ts'
import { conditionOf } from './states.ts'
import type { Tools } from './tools.ts'

/**
 * The outputs of the stack of this name when whatever is under way on it is over; undefined where it can serve no run then. Throws
 * a UserError when that takes more than half an hour.
 */
export async function findUsable(
  cfn: CloudFormationClient,
  name: string,
  tools: Tools,
): Promise<StackOutputs | undefined> {
  let stack = await describeStack(cfn, name)
  if (stack && conditionOf(stack) === 'busy') {
    tools.log.info(`The stack ${name} is ${stack.status}. Waiting for that to finish.`)
    stack = await untilAtRest(cfn, stack, tools)
  }
  return stack && isOwnStack(stack) && conditionOf(stack) === 'usable' ? readOutputs(stack) : undefined
}
