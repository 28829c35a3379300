import * as core from '@actions/core'
import { realTiming } from '../protocol/timing.ts'
import { createClients } from './clients.ts'
import { explain } from './errors.ts'
import { deleteRunQueue } from './run.ts'
import { afterRun } from './stack/index.ts'
import { loadRun } from './state.ts'

/** Runs after the job, also a cancelled or killed one: stops the run if main could not, and tidies up after it. */
async function post(): Promise<void> {
  const run = loadRun()
  if (!run) return
  const clients = createClients(run.region)
  await deleteRunQueue(clients.sqs, run.queueUrl)
  core.warning(
    `Run ${run.runId} was stopped before its end: its workers drop the tasks that are left. Objects copied so far stay.`,
  )
  await afterRun(run.afterRun, clients, run.stack, { timing: realTiming, log: core })
}

post().catch((error: unknown) => {
  core.setFailed(`The run could not be stopped, or its stack not be tidied up. ${explain(error)}`)
})
