import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Status } from '../result.ts'
import { pauseIfIdle } from './mappings.ts'
import { describeStack, type StackOutputs } from './outputs.ts'
import { removeStack } from './remove.ts'
import { activeRuns, listRuns, removeAbandoned } from './runs.ts'
import type { Tools } from './tools.ts'

/**
 * What becomes of the stack after a run: `pause` lets it stop polling its queues, `keep` leaves it as it is, `delete`
 * removes it when the run succeeded, and pauses it otherwise: the dead-letter queue and the logs, which are deleted with
 * it, are what a person needs then. The stack stays as it is while another run is going on.
 */
export type AfterRun = 'pause' | 'keep' | 'delete'

/**
 * Carries out {@link AfterRun} for a run that went like this. Call it after the run queue was deleted. Throws a UserError
 * when a delete fails.
 *
 * @param run its id; missing where it never began
 */
export async function afterRun(
  what: AfterRun,
  { run, status }: { run?: string | undefined; status: Status },
  clients: { cfn: CloudFormationClient; lambda: LambdaClient; sqs: SQSClient },
  stack: { name: string; outputs: StackOutputs },
  tools: Tools,
): Promise<void> {
  if (what === 'keep') return
  const { name, outputs } = stack
  const { timing, log } = tools
  for (const id of await removeAbandoned(clients.sqs, outputs, timing.now()))
    log.info(`Deleted the queue of run ${id}, which began more than 14 days ago and was abandoned.`)
  const deletes = what === 'delete' && status === 'succeeded'
  const active = deletes
    ? await activeRuns(clients.sqs, outputs.runQueuePrefix, timing.now(), run)
    : await pauseIfIdle(clients, outputs, run, tools)
  if (active.length > 0) log.info(tellInUse(stack, active))
  else if (!deletes) {
    log.info(`The stack ${name} is paused. It polls nothing until the next run.`)
    if (what === 'delete')
      log.info('It is not deleted, because the run did not succeed: its dead-letter queue and logs remain.')
  } else {
    const found = await describeStack(clients.cfn, name)
    if (!found) return
    await removeStack(clients.cfn, found, tools)
    log.info(`The stack ${name} is deleted.`)
  }
}

/** Names the runs: a runner that was lost leaves its run behind, and only a person can tell that nobody watches it. */
function tellInUse({ name, outputs }: { name: string; outputs: StackOutputs }, queues: string[]): string {
  const others = queues.length === 1 ? 'another run is' : `${queues.length} other runs are`
  return `The stack ${name} stays as it is, because ${others} in progress. If nobody watches a run any more, attach to it with its run key, which is in the log of the step that began it, or delete its queue to end it.\n${listRuns(queues, outputs.runQueuePrefix)}`
}
