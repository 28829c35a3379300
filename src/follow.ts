import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { type Books, openBooks } from './books.ts'
import type { Checkpoint } from './checkpoint/checkpoint.ts'
import { LeaseLostError, Saver } from './checkpoint/saver.ts'
import type { CheckpointStore, Found } from './checkpoint/store.ts'
import type { Clients } from './clients.ts'
import { explain, UserError } from './errors.ts'
import { Failures } from './failures.ts'
import { counted } from './format.ts'
import type { Delivery } from './inbox.ts'
import type { Inputs } from './inputs.ts'
import { forget } from './redrive.ts'
import type { Result } from './result.ts'
import { deleteRunQueue } from './run-queue.ts'
import { seedOnce } from './seeding.ts'
import { keepEnabled, resume, type StackOutputs, untilEnabled } from './stack/index.ts'
import type { Tools } from './stack/tools.ts'
import { logLine } from './text.ts'
import { type Ended, watch } from './watch.ts'

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

/** How the watching of a run ended, and what is in the way of going on. */
type Course = { ending: Result['ending']; endedAt: number; reason?: string; watcher?: string }

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

/** How watching ends for a step when somebody else watches: one that was not to wait has done what it was to do. */
function leftTo({ wait }: Pick<Inputs, 'wait'>): 'superseded' | 'left' {
  return wait ? 'superseded' : 'left'
}

/**
 * Watches. Whatever ends the watching becomes the reason. With checkpoints it does not end the run, which is kept for whoever
 * attaches next.
 */
async function observe(job: Job, books: Books, saver: Saver | undefined, tools: Tools): Promise<Course> {
  const { store, inputs } = job
  try {
    if (!saver || !store) return await watchRun(job, books, (delivery) => delivery.remove(), tools)
    if (!inputs.wait && !job.found.checkpoint.seeded && !job.signal.aborted) {
      await saver.release()
      return { ending: 'left', endedAt: tools.timing.now() }
    }
    const course = await watchRun(job, books, (delivery) => saver.took(delivery), tools)
    if (course.ending === 'left' || course.ending === 'timed-out') await saver.release()
    return course.ending === 'superseded' ? await whoGoesOn(job, store, course) : course
  } catch (error) {
    const endedAt = tools.timing.now()
    if (error instanceof LeaseLostError && store)
      return await whoGoesOn(job, store, { ending: 'superseded', endedAt })
    return { ending: 'unwatched', endedAt, reason: explain(error) }
  }
}

/** Names who has taken a run over, if that can be told. When that one has ended it by now, its checkpoint is gone, or another run's is there. */
async function whoGoesOn({ found, inputs }: Job, store: CheckpointStore, course: Course): Promise<Course> {
  const ending = leftTo(inputs)
  try {
    const now = await store.read()
    if (now?.checkpoint.run.id !== found.checkpoint.run.id) return { ...course, ending: 'stopped' }
    return { ...course, ending, watcher: now.checkpoint.watcher.name }
  } catch (error) {
    core.info(`The checkpoint that names the run’s new watcher could not be read. ${logLine(explain(error))}`)
    return { ...course, ending, watcher: 'another step' }
  }
}

function watchRun(
  { inputs, outputs, clients, found, deadline, signal }: Job,
  books: Books,
  took: (delivery: Delivery) => Promise<void>,
  tools: Tools,
): Promise<Ended> {
  const { sqs, lambda } = clients
  const { ledger, progress } = books
  const { run, startedAt } = found.checkpoint
  const { timing } = tools
  return watch(
    { ...books, sqs, stack: outputs, runQueueUrl: run.queue, took },
    {
      pollMs: inputs.pollSeconds * 1000,
      wait: inputs.wait,
      budget: inputs.maxFailures,
      deadline,
      signal,
      timing,
      onPoll: (depths) =>
        core.info(progress.line(ledger.totals, ledger.open, depths, timing.now() - startedAt)),
      onWarning: (message) => core.warning(message),
      onQuiet: async () => {
        if (await keepEnabled(lambda, outputs, tools))
          core.info('The functions had been paused. They are enabled again.')
      },
    },
  )
}
