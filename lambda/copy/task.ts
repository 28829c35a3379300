import { LONGEST_DELAY_SECONDS } from '../../protocol/limits.ts'
import { type CopyTask, type Listed, newCopyTask } from '../../protocol/task.ts'
import { Packer } from '../packer.ts'
import type { Attempt, Result } from '../worker.ts'
import { type CopyDeps, copyObjects } from './copy.ts'

/**
 * Rounds of refusals that an object outlives. Their pauses are 16 minutes in all, and each of the seven attempts puts up
 * with S3 saying slow down for 45 s: 21 minutes together.
 */
const ROUNDS = 6
const FIRST_PAUSE_SECONDS = 15

/**
 * Works on one copy task. What S3 keeps refusing for the time being goes into a child task that waits a while first;
 * what there was no time for goes into one that does not.
 */
export async function workOnCopyTask(
  task: CopyTask,
  attempt: Attempt,
  { queueUrl, ...deps }: Omit<CopyDeps, 'deadline' | 'signal' | 'isLast'> & { queueUrl: string },
): Promise<Result> {
  const { deadline, signal } = attempt
  const isLast = task.round >= ROUNDS
  const { late, further, refused, ...result } = await copyObjects(task, { ...deps, deadline, signal, isLast })
  /** Follow-ups hold the ids of uploads too, so that they may be more than one where the task was one. */
  const handOn = async (objects: Listed[], round: number, delaySeconds = 0) => {
    const packer = new Packer((some, delay) =>
      attempt.spawn(queueUrl, (id) => newCopyTask(id, task.run, some, round), delay),
    )
    await packer.add(objects, { most: task.run.batchSize, delaySeconds })
    await packer.flush()
  }
  // An upload that has got further begins its rounds anew: a large one takes hours, of which some minutes may be bad.
  await handOn([...further], 0)
  await handOn(
    late.filter((object) => !further.has(object)),
    task.round,
  )
  if (refused.length > 0) {
    if (isLast) {
      result.failures.push(...refused.map(({ failure }) => failure))
    } else {
      const objects = refused.map(({ object }) => object)
      const pause = Math.min(LONGEST_DELAY_SECONDS, FIRST_PAUSE_SECONDS * 2 ** task.round)
      await handOn(objects, task.round + 1, pause)
    }
  }
  return result
}
