import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { type Books, openBooks } from './books.ts'
import type { Checkpoint } from './checkpoint/checkpoint.ts'
import { Saver } from './checkpoint/saver.ts'
import type { CheckpointStore, Found } from './checkpoint/store.ts'
import type { Clients } from './clients.ts'
import { explain, UserError } from './errors.ts'
import { Failures } from './failures.ts'
import { counted } from './format.ts'
import type { Inputs } from './inputs.ts'
import { leftTo, observe } from './observe.ts'
import { forget } from './redrive.ts'
import type { Result } from './result.ts'
import { deleteRunQueue } from './run-queue.ts'
import { seedOnce } from './seeding.ts'
import { resume, type StackOutputs, untilEnabled } from './stack/index.ts'
import type { Tools } from './stack/tools.ts'

/** A run that this step is to watch. */
export type Job = {
  inputs: Inputs
  outputs: StackOutputs
  clients: Clients
  found: Found
  store: CheckpointStore | undefined
  runKey: string | undefined
  /** When the step is to wait for the run no longer: milliseconds since the epoch. */
  deadline: number
  signal: AbortSignal
}

/** Seeds the run if that is still to be done, watches it for as long as it is to be, and gathers what there is to say of it. */
export async function follow(job: Job, tools: Tools): Promise<Result> {
  const { clients, outputs, store, inputs, signal } = job
  const { sqs } = clients
  const { run } = job.found.checkpoint
  const reportPath = join(process.env.RUNNER_TEMP ?? tmpdir(), `s3-71-${run.id}`, 'failures.ndjson')
  const failures = await openReport(reportPath)
  const checkpoint = await seedAndResume(job, tools)
  const { startedAt, savedAt, origins } = checkpoint
  const books = await openBooks(checkpoint, failures, segmentsOf(job))
  const wasSettled = books.ledger.done
  const saver = store && new Saver(store, { ...job.found, checkpoint }, books, tools.timing)
  const course = await core.group('Progress', () => observe(job, books, saver, tools))
  // Workers stop at once; what is to be gathered may take longer than a cancelled job has.
  if (course.ending === 'cancelled') await deleteRunQueue(sqs, run.queue)
  if (course.ending === 'settled' && origins.length > 0)
    try {
      const left = await forget({ sqs, stack: outputs, signal }, run.id, new Set(origins), tools.timing)
      if (left > 0)
        core.warning(
          `Not removed from the dead-letter queue: ${counted(left, 'redriven task')} that SQS did not return, perhaps because somebody else is reading the queue. Another redrive would copy their objects again.`,
        )
    } catch (error) {
      // What was counted is told all the same.
      core.warning(
        `The redriven tasks could not be removed from the dead-letter queue. Another redrive would copy their objects again. ${explain(error)}`,
      )
    }
  const { ledger, unlisted, deadLetters, progress } = books
  return {
    ...aboutRun(job, checkpoint),
    ...course,
    budget: inputs.maxFailures,
    totals: ledger.totals,
    open: ledger.open,
    dlqMessages: deadLetters.messages,
    nameless: deadLetters.nameless,
    unlisted: unlisted.of((task) => ledger.counts(task)),
    ...(await writeReport(books, reportPath)),
    // Two clocks may be at work: that of this machine and that of SQS. Who attaches to a run that is over knows when it was last looked at.
    durationMs: Math.max(0, (wasSettled ? savedAt : course.endedAt) - startedAt),
    samples: progress.samples,
  }
}

/** Throws a UserError, before anything is sent, where the report could not be written. */
async function openReport(path: string): Promise<Failures> {
  const failures = new Failures(path)
  try {
    await failures.ready
    return failures
  } catch (error) {
    throw new UserError(
      `The report of failed objects can’t be written: ${(error as Error).message}. It is written to the folder in RUNNER_TEMP.`,
      { cause: error },
    )
  }
}

/** What can't be written, because a disk is full, must not hide what was counted. */
async function writeReport(
  { failures, ledger }: Books,
  reportPath: string,
): Promise<Pick<Result, 'failures' | 'reportPath'>> {
  try {
    return { failures: await failures.finish((task) => ledger.counts(task)), reportPath }
  } catch (error) {
    core.warning(`The report of failed objects could not be written: ${explain(error)}`)
    return { failures: [], reportPath: '' }
  }
}

async function seedAndResume(job: Job, tools: Tools): Promise<Checkpoint> {
  const { outputs, signal } = job
  const { lambda } = job.clients
  const failed = new AbortController()
  const enabled = resume(lambda, outputs, tools).then(() =>
    untilEnabled(lambda, outputs, AbortSignal.any([failed.signal, signal]), tools),
  )
  try {
    const [checkpoint] = await Promise.all([seedOnce(job, tools), enabled])
    return checkpoint
  } catch (error) {
    // What went on enabling would undo the pause that comes after a run that failed.
    failed.abort()
    await enabled.catch(() => {})
    throw error
  }
}

/** What can be said of a run that somebody else watches: how it stood at its last checkpoint. */
export function tellFromCheckpoint(
  job: Pick<Job, 'inputs' | 'outputs' | 'runKey'>,
  checkpoint: Checkpoint,
): Result {
  const { ledger, savedAt, startedAt, samples, watcher } = checkpoint
  return {
    ...aboutRun(job, checkpoint),
    ending: leftTo(job.inputs),
    watcher: watcher.name,
    savedAt,
    budget: undefined,
    totals: ledger.totals,
    open: ledger.expected - ledger.settled,
    dlqMessages: ledger.totals.deadTasks,
    nameless: 0,
    unlisted: [],
    failures: [],
    reportPath: '',
    durationMs: savedAt - startedAt,
    samples,
  }
}

function aboutRun(
  { inputs, outputs, runKey }: Pick<Job, 'inputs' | 'outputs' | 'runKey'>,
  { run, mode }: Checkpoint,
) {
  const { source, destination, options, stackName, region } = inputs
  const { deadLetterQueueUrl } = outputs
  return { runId: run.id, mode, runKey, source, destination, options, stackName, region, deadLetterQueueUrl }
}

async function* segmentsOf({ store, found }: Job): AsyncGenerator<Uint8Array> {
  if (store) yield* store.segments(found.checkpoint)
}
