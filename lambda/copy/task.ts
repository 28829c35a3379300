import { type CopyTask, newCopyTask } from '../../protocol/message.ts'
import type { Attempt, Result } from '../worker.ts'
import { type CopyDeps, copyObjects } from './copy.ts'

/** Rounds of refusals that an object outlives. With their pauses: half an hour of S3 saying slow down. */
const ROUNDS = 6
/** SQS holds a message back for 900 s at most (SQS API reference, SendMessage). */
const LONGEST_PAUSE_SECONDS = 900
const FIRST_PAUSE_SECONDS = 15

/**
 * Works on one copy task. What S3 keeps refusing for the time being goes into a child task that waits a while first;
 * what there was no time for goes into one that does not.
 */
export async function workOnCopyTask(
  task: CopyTask,
  attempt: Attempt,
  { queueUrl, ...deps }: Omit<CopyDeps, 'deadline'> & { queueUrl: string },
): Promise<Result> {
  const { copied, skipped, bytes, failures, late, refused } = await copyObjects(task, {
    ...deps,
    deadline: attempt.deadline,
  })
  if (late.length > 0) await attempt.spawn(queueUrl, (id) => newCopyTask(id, task.run, late, task.round))
  if (refused.length > 0) {
    if (task.round < ROUNDS) {
      const objects = refused.map(({ object }) => object)
      const pause = Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** task.round)
      await attempt.spawn(queueUrl, (id) => newCopyTask(id, task.run, objects, task.round + 1), pause)
    } else {
      failures.push(...refused.map(({ failure }) => failure))
    }
  }
  return { listed: 0, copied, skipped, bytes, failures }
}
