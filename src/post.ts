import * as core from '@actions/core'
import { SQSClient } from '@aws-sdk/client-sqs'
import { explain } from './errors.ts'
import { deleteRunQueue } from './run.ts'
import { loadRun } from './state.ts'

/** Runs after the job, also a cancelled or killed one: stops the run if main could not. */
async function post(): Promise<void> {
  const run = loadRun()
  if (!run) return
  await deleteRunQueue(new SQSClient({ region: run.region }), run.queueUrl)
  core.warning(
    `Run ${run.runId} was stopped before its end: its workers drop the tasks that are left. Objects copied so far stay.`,
  )
}

post().catch((error: unknown) => {
  core.setFailed(`The run could not be stopped; delete its queue by hand. ${explain(error)}`)
})
