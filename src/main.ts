import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { newRunId } from '../protocol/ids.ts'
import type { Run } from '../protocol/message.ts'
import { realTiming } from '../protocol/timing.ts'
import { type Clients, createClients } from './clients.ts'
import { DeadLetters } from './dead-letters.ts'
import { explain } from './errors.ts'
import { Failures } from './failures.ts'
import { type Inputs, readInputs } from './inputs.ts'
import { Ledger } from './ledger.ts'
import { showPlace } from './location.ts'
import { prepareStack } from './prepare.ts'
import { Progress } from './progress.ts'
import { report } from './report.ts'
import type { Result } from './result.ts'
import { createRunQueue, deleteRunQueue, seed, seeds } from './run.ts'
import { afterRun, keepEnabled, resume, type StackOutputs, untilEnabled } from './stack/index.ts'
import { clearRun, saveRun } from './state.ts'
import { UnlistedParts } from './unlisted.ts'
import { watch } from './watch.ts'

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
    core.setFailed(explain(error))
  }
}

async function main(signal: AbortSignal): Promise<void> {
  const inputs = readInputs()
  const clients = createClients(inputs.region)
  const outputs = await core.group(`Stack ${inputs.stackName}`, () => prepareStack(clients, inputs, tools))
  if (signal.aborted) return core.setFailed('The job was cancelled before the run began.')

  const stack = { name: inputs.stackName, outputs }
  const runId = newRunId(new Date(timing.now()))
  const queueUrl = await createRunQueue(clients.sqs, `${outputs.runQueuePrefix}${runId}`, timing)
  saveRun({ queueUrl, region: inputs.region, runId, stack, afterRun: inputs.afterRun })
  core.info(`Run ${runId}: ${showPlace(inputs.source)} → ${showPlace(inputs.destination)}`)
  try {
    const result = await copy({ inputs, outputs, clients, runId, queueUrl, signal })
    await report(result, inputs.failOnError)
  } finally {
    await deleteRunQueue(clients.sqs, queueUrl)
  }
  // A job that is being cancelled has seconds left; `post` has minutes for what may take longer.
  if (signal.aborted) return
  await afterRun(inputs.afterRun, clients, stack, tools)
  clearRun()
}

type Job = {
  inputs: Inputs
  outputs: StackOutputs
  clients: Clients
  runId: string
  queueUrl: string
  signal: AbortSignal
}

/** Seeds the run, watches it to its end, and gathers what there is to say of it. */
async function copy({ inputs, outputs, clients, runId, queueUrl, signal }: Job): Promise<Result> {
  const { source, destination, batchSize, stackName, region } = inputs
  const { sqs, lambda } = clients
  const run: Run = { id: runId, queue: queueUrl, source, destination, batchSize }
  const parts = seeds(inputs)
  const reportPath = join(process.env.RUNNER_TEMP ?? tmpdir(), `s3-71-${runId}`, 'failures.ndjson')
  const ledger = new Ledger(parts.length)
  const failures = new Failures(reportPath)
  const unlisted = new UnlistedParts()
  const deadLetters = new DeadLetters(runId, ledger, failures, unlisted)
  const progress = new Progress()

  const startedAt = timing.now()
  await Promise.all([
    seed(sqs, outputs.listQueueUrl, run, parts, timing),
    resume(lambda, outputs, tools).then(() => untilEnabled(lambda, outputs, tools)),
  ])
  const { ending, endedAt } = await core.group('Progress', () =>
    watch(
      { sqs, stack: outputs, runQueueUrl: queueUrl, ledger, failures, deadLetters, unlisted },
      {
        pollMs: inputs.pollSeconds * 1000,
        deadline: startedAt + inputs.timeoutMinutes * 60_000,
        signal,
        timing,
        onPoll: (depths) =>
          core.info(progress.line(ledger.totals, ledger.open, depths, timing.now() - startedAt)),
        onWarning: (message) => core.warning(message),
        onQuiet: async () => {
          if (await keepEnabled(lambda, outputs, tools))
            core.info('The functions were paused; enabled them again')
        },
      },
    ),
  )
  return {
    runId,
    ending,
    source,
    destination,
    stackName,
    region,
    totals: ledger.totals,
    open: ledger.open,
    dlqMessages: deadLetters.messages,
    nameless: deadLetters.nameless,
    unlisted: unlisted.of((task) => ledger.counts(task)),
    failures: await failures.finish((task) => ledger.counts(task)),
    reportPath,
    deadLetterQueueUrl: outputs.deadLetterQueueUrl,
    durationMs: endedAt - startedAt,
    samples: progress.samples,
  }
}
