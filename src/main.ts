import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { SQSClient } from '@aws-sdk/client-sqs'
import { newRunId } from '../protocol/ids.ts'
import type { Run } from '../protocol/message.ts'
import { realTiming } from '../protocol/timing.ts'
import { DeadLetters } from './dead-letters.ts'
import { explain, UserError } from './errors.ts'
import { Failures } from './failures.ts'
import { type Inputs, readInputs } from './inputs.ts'
import { Ledger } from './ledger.ts'
import { showPlace } from './location.ts'
import { Progress } from './progress.ts'
import { report } from './report.ts'
import type { Result } from './result.ts'
import { createRunQueue, deleteRunQueue, seed, seeds } from './run.ts'
import { findStack, type StackOutputs } from './stack/index.ts'
import { clearRun, saveRun } from './state.ts'
import { UnlistedParts } from './unlisted.ts'
import { watch } from './watch.ts'

const timing = realTiming

async function main(signal: AbortSignal): Promise<void> {
  const inputs = readInputs()
  const { region } = inputs
  const sqs = new SQSClient({ region })
  const stack = await core.group(`Stack ${inputs.stackName}`, () => locateStack(inputs))

  const runId = newRunId(new Date(timing.now()))
  const queueUrl = await createRunQueue(sqs, `${stack.runQueuePrefix}${runId}`, timing)
  saveRun({ queueUrl, region, runId })
  core.info(`Run ${runId}: ${showPlace(inputs.source)} → ${showPlace(inputs.destination)}`)
  try {
    const result = await copy({ inputs, stack, sqs, runId, queueUrl, signal })
    await report(result, inputs.failOnError)
  } finally {
    await deleteRunQueue(sqs, queueUrl)
    clearRun()
  }
}

async function locateStack({ stackName, region }: Inputs): Promise<StackOutputs> {
  const found = await findStack(new CloudFormationClient({ region }), stackName)
  if (!found) throw new UserError(`There is no stack ${stackName} in ${region}. Deploy template.yaml first.`)
  core.info(`Found in ${region}, version ${found.outputs.version}`)
  return found.outputs
}

type Job = {
  inputs: Inputs
  stack: StackOutputs
  sqs: SQSClient
  runId: string
  queueUrl: string
  signal: AbortSignal
}

/** Seeds the run, watches it to its end, and gathers what there is to say of it. */
async function copy({ inputs, stack, sqs, runId, queueUrl, signal }: Job): Promise<Result> {
  const { source, destination, batchSize, stackName, region } = inputs
  const run: Run = { id: runId, queue: queueUrl, source, destination, batchSize }
  const parts = seeds(inputs)
  const reportPath = join(process.env.RUNNER_TEMP ?? tmpdir(), `s3-71-${runId}`, 'failures.ndjson')
  const ledger = new Ledger(parts.length)
  const failures = new Failures(reportPath)
  const unlisted = new UnlistedParts()
  const deadLetters = new DeadLetters(runId, ledger, failures, unlisted)
  const progress = new Progress()

  const startedAt = timing.now()
  await seed(sqs, stack.listQueueUrl, run, parts, timing)
  const { ending, endedAt } = await core.group('Progress', () =>
    watch(
      { sqs, stack, runQueueUrl: queueUrl, ledger, failures, deadLetters, unlisted },
      {
        pollMs: inputs.pollSeconds * 1000,
        deadline: startedAt + inputs.timeoutMinutes * 60_000,
        signal,
        timing,
        onPoll: (depths) =>
          core.info(progress.line(ledger.totals, ledger.open, depths, timing.now() - startedAt)),
        onWarning: (message) => core.warning(message),
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
    deadLetterQueueUrl: stack.deadLetterQueueUrl,
    durationMs: endedAt - startedAt,
    samples: progress.samples,
  }
}

const cancel = new AbortController()
// A cancelled job gets SIGINT, 7.5 s later SIGTERM, and is killed 2.5 s after that (actions/runner, ProcessInvoker).
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => cancel.abort())

main(cancel.signal).catch((error: unknown) => core.setFailed(explain(error)))
