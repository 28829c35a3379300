import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { pauseIfIdle } from './mappings.ts'
import { describeStack, type StackOutputs } from './outputs.ts'
import { removeStack } from './remove.ts'
import { activeRuns } from './runs.ts'
import type { Tools } from './tools.ts'

/**
 * What becomes of the stack after a run: `pause` lets it stop polling its queues, `keep` leaves it as it is, `delete`
 * removes it. The stack stays as it is while another run is going on.
 */
export type AfterRun = 'pause' | 'keep' | 'delete'

/** Carries out {@link AfterRun}. Call it after the run queue was deleted. Throws a UserError when a delete fails. */
export async function afterRun(
  what: AfterRun,
  clients: { cfn: CloudFormationClient; lambda: LambdaClient; sqs: SQSClient },
  stack: { name: string; outputs: StackOutputs },
  tools: Tools,
): Promise<void> {
  const inUse = `The stack ${stack.name} stays as it is: another run is going on.`
  if (what === 'pause') {
    const paused = await pauseIfIdle(clients, stack.outputs, tools)
    tools.log.info(paused ? `The stack ${stack.name} is paused: it polls nothing until the next run.` : inUse)
  } else if (what === 'delete') {
    const active = await activeRuns(clients.sqs, stack.outputs.runQueuePrefix, tools.timing.now())
    const found = await describeStack(clients.cfn, stack.name)
    if (active.length > 0) tools.log.info(inUse)
    else if (found) {
      await removeStack(clients.cfn, found, tools)
      tools.log.info(`The stack ${stack.name} is deleted.`)
    }
  }
}
