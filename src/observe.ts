import * as core from '@actions/core'
import type { Books } from './books.ts'
import { LeaseLostError, type Saver } from './checkpoint/saver.ts'
import type { CheckpointStore } from './checkpoint/store.ts'
import { explain } from './errors.ts'
import type { Job } from './follow.ts'
import type { Delivery } from './inbox.ts'
import type { Inputs } from './inputs.ts'
import type { Result } from './result.ts'
import { keepEnabled } from './stack/index.ts'
import type { Tools } from './stack/tools.ts'
import { logLine } from './text.ts'
import { type Ended, watch } from './watch.ts'

/** How the watching of a run ended, and what is in the way of going on. */
type Course = { ending: Result['ending']; endedAt: number; reason?: string; watcher?: string }

/**
 * Watches a run for this step. Whatever ends that becomes the reason. With checkpoints it does not end the run, which is kept for whoever
 * attaches next.
 */
export async function observe(
  job: Job,
  books: Books,
  saver: Saver | undefined,
  tools: Tools,
): Promise<Course> {
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

/** How watching ends for a step when somebody else watches: one that was not to wait has done what it was to do. */
export function leftTo({ wait }: Pick<Inputs, 'wait'>): 'superseded' | 'left' {
  return wait ? 'superseded' : 'left'
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
