import * as core from '@actions/core'
import { realTiming } from '../protocol/timing.ts'
import { type Begun, begin } from './begin.ts'
import { type Clients, createClients } from './clients.ts'
import { endRun } from './end-run.ts'
import { explain } from './errors.ts'
import { follow, type Job, tellFromCheckpoint } from './follow.ts'
import { type Inputs, readInputs } from './inputs.ts'
import { showPlace } from './location.ts'
import { leaveUnused, prepareStack } from './prepare.ts'
import { report } from './report.ts'
import { type Status, statusOf } from './result.ts'
import { afterRun, type EnsuredStack } from './stack/index.ts'
import { clearRun, markOver } from './state.ts'
import { printable } from './text.ts'

const timing = realTiming
const tools = { timing, log: core }

/** Runs the action. What goes wrong fails the step with a message for people; nothing is thrown. */
export async function run(): Promise<void> {
  const cancel = new AbortController()
  // A cancelled job gets SIGINT, 7.5 s later SIGTERM, and is killed 2.5 s after that (actions/runner, ProcessInvoker).
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => cancel.abort())
  try {
    await main(cancel.signal)
  } catch (error) {
    const cancelled = cancel.signal.aborted
    core.setOutput('status', cancelled ? 'cancelled' : 'failed')
    core.setFailed(cancelled ? `The job was cancelled. ${explain(error)}` : explain(error))
  }
}

async function main(signal: AbortSignal): Promise<void> {
  const inputs = readInputs()
  // Of the job's time, what comes before the run counts as well.
  const deadline = timing.now() + inputs.timeoutMinutes * 60_000
  const clients = createClients(inputs.region)
  const stack = await core.group(`Stack ${inputs.stackName}`, () => prepareStack(clients, inputs, tools))
  if (signal.aborted) return await cancelledEarly(clients, inputs, stack)

  const { attachment, store, runKey } = await beginOrLeave(clients, inputs, stack, signal)
  if (attachment.how === 'aborted') return await cancelledEarly(clients, inputs, stack)
  const { run } = attachment.checkpoint
  core.setOutput('run-id', run.id)
  core.info(`Run ${run.id}: ${showPlace(inputs.source)} → ${showPlace(inputs.destination)}`)
  if (runKey !== undefined) core.info(`Its run key is ${printable(runKey)}`)
  const about = { inputs, outputs: stack.outputs, runKey }
  if (attachment.how === 'watched')
    return await report(tellFromCheckpoint(about, attachment.checkpoint), inputs.failOnError)

  const job = { ...about, clients, found: attachment, store, deadline, signal }
  // What this step comes across is no reason to stop a run that others have begun.
  let leave = attachment.how === 'attached'
  let status: Status = 'failed'
  try {
    const result = await follow(job, tools)
    status = statusOf(result)
    // What is left of one that was ended elsewhere may go on: only its checkpoint, or the stack, may be gone.
    leave = status === 'running'
    await report(result, inputs.failOnError)
    if (!leave) markOver(status)
  } catch (error) {
    leave &&= !signal.aborted
    if (!leave) throw error
    core.setOutput('status', 'running')
    const message = `${explain(error)} Run ${run.id} goes on without this step.`
    if (inputs.failOnError) core.setFailed(message)
    else core.warning(message)
  } finally {
    if (leave) clearRun()
    else await tidyUp(job, status)
  }
}

async function beginOrLeave(
  clients: Clients,
  inputs: Inputs,
  stack: EnsuredStack,
  signal: AbortSignal,
): Promise<Begun> {
  try {
    return await begin(clients, inputs, stack, tools, signal)
  } catch (error) {
    await leaveUnused(clients, inputs, stack, tools)
    throw error
  }
}

async function cancelledEarly(clients: Clients, inputs: Inputs, stack: EnsuredStack): Promise<void> {
  core.setOutput('status', 'cancelled')
  core.setFailed('The job was cancelled before the run began.')
  await leaveUnused(clients, inputs, stack, tools)
}

/**
 * Ends the run, and leaves the stack as it is to be after it. What goes wrong here changes nothing of what was told of the
 * run: it is a warning, and `post` tries again.
 */
async function tidyUp(
  { inputs, outputs, clients, store, found, signal }: Job,
  status: Status,
): Promise<void> {
  const { stackName, afterRun: what } = inputs
  const { run } = found.checkpoint
  const complete = status === 'succeeded' ? 'The copy is complete. ' : ''
  let failing = `Run ${run.id} could not be ended: its queue ${run.queue} still exists, so its workers go on`
  try {
    await endRun(clients.sqs, store, run)
    markOver(status)
    failing = `The stack ${stackName} could not be tidied up after run ${run.id} (\`after-run: ${what}\`)`
    // A job that is being cancelled has seconds left; `post` has minutes for what may take longer.
    if (signal.aborted) return
    await afterRun(what, { run: run.id, status }, clients, { name: stackName, outputs }, tools)
    clearRun()
  } catch (error) {
    core.warning(`${complete}${failing}. The action tries again at the end of the job. ${explain(error)}`)
  }
}
