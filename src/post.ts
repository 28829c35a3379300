import * as core from '@actions/core'
import { realTiming } from '../protocol/timing.ts'
import { CheckpointStore, type Found } from './checkpoint/store.ts'
import { type Clients, createClients } from './clients.ts'
import { endRun } from './end-run.ts'
import { explain } from './errors.ts'
import { formatCount } from './format.ts'
import { deleteRunQueue } from './run-queue.ts'
import { afterRun, findUsable } from './stack/index.ts'
import { type DeployingState, loadDeploying, loadRun, type RunState, statusOver } from './state.ts'
import { logLine, printable } from './text.ts'

const tools = { timing: realTiming, log: core }

/** Runs after the job, also a cancelled or killed one: stops the run if main could not, and tidies up after it. */
async function post(): Promise<void> {
  const run = loadRun()
  const deploying = loadDeploying()
  if (!run) return deploying && (await leaveDeployed(deploying))
  const { runId, queueUrl, stack } = run
  const status = statusOver()
  let failing = `Run ${runId} could not be ended: its queue ${queueUrl} still exists, so its workers may go on copying. To stop them, delete that queue.`
  try {
    const clients = createClients(run.region)
    if (status) await endRun(clients.sqs, storeOf(run, clients), { id: runId, queue: queueUrl })
    else if (!(await stop(run, clients))) return
    failing = `The stack ${stack.name} could not be tidied up after run ${runId} (\`after-run: ${run.afterRun}\`). It may poll its queues until a later run pauses it.`
    await afterRun(run.afterRun, { run: runId, status: status ?? 'cancelled' }, clients, stack, tools)
  } catch (error) {
    const message = `${failing} ${explain(error)}`
    // Main has told how a run went that is over.
    if (status) core.warning(message)
    else core.setFailed(message)
  }
}

/** Leaves a stack as after a run that did not succeed: main was killed while it deployed it, and it polls its queues from then on. */
async function leaveDeployed({ stackName, region, afterRun: what }: DeployingState): Promise<void> {
  try {
    const clients = createClients(region)
    const outputs = await findUsable(clients.cfn, stackName, tools)
    if (!outputs) return
    await afterRun(what, { status: 'cancelled' }, clients, { name: stackName, outputs }, tools)
  } catch (error) {
    core.warning(
      `The stack ${stackName}, which this job deployed, could not be paused. It may poll its queues until a later run pauses it. ${explain(error)}`,
    )
  }
}

/** Stops a run and tells how far it got, unless somebody else has taken it over; then it returns false. */
async function stop(run: RunState, clients: Clients): Promise<boolean> {
  const store = storeOf(run, clients)
  const last = await lastCheckpoint(run, store)
  const watcher = last?.checkpoint.watcher
  if (watcher && watcher.id !== run.checkpoints?.watcher) {
    core.info(`Run ${run.runId} goes on, watched by ${printable(watcher.name)}.`)
    return false
  }
  await deleteRunQueue(clients.sqs, run.queueUrl)
  core.warning(
    `Run ${run.runId} was stopped before its end. The functions drop the tasks that are left. Objects copied so far stay.${last ? ` ${tellTotals(last)}` : ''}`,
  )
  if (last) await store?.remove(last)
  return true
}

function storeOf({ checkpoints }: RunState, { s3 }: Clients): CheckpointStore | undefined {
  return checkpoints && new CheckpointStore(s3, checkpoints.bucket, checkpoints.folder)
}

/** Nothing where it can't be read: the run has to be stopped all the same. */
async function lastCheckpoint(
  { runId }: RunState,
  store: CheckpointStore | undefined,
): Promise<Found | undefined> {
  try {
    const found = await store?.read()
    return found?.checkpoint.run.id === runId ? found : undefined
  } catch (error) {
    core.info(`The run’s last checkpoint could not be read. ${logLine(explain(error))}`)
    return undefined
  }
}

/** How far a run had got. */
function tellTotals({ checkpoint }: Found): string {
  const { savedAt, ledger } = checkpoint
  const { listed, copied, skipped, vanished, failed, deadObjects } = ledger.totals
  const time = new Date(savedAt).toISOString()
  return `At ${time} it had listed ${formatCount(listed)}, copied ${formatCount(copied)}, skipped ${formatCount(skipped)} and failed to copy ${formatCount(failed)}; ${formatCount(vanished)} had vanished, and ${formatCount(deadObjects)} had gone to the dead-letter queue.`
}

await post()
