import { type ListTask, newCopyTask, newListTask } from '../../protocol/message.ts'
import { backoffMs, type Timing } from '../../protocol/timing.ts'
import { isTransient, type ListedObject, type ListRequest, type S3, S3Error } from '../s3/index.ts'
import { type Attempt, emptyResult, type Result } from '../worker.ts'
import { toListed } from './listed.ts'
import { Packer, taskSize } from './packer.ts'
import { withoutPresent } from './present.ts'
import { spreadSeconds } from './spread.ts'
import { walk } from './walk.ts'

/**
 * How long a task lists before it hands on: its copies count only once its outcome has been sent, so this is also how
 * far behind the progress in the log can be.
 */
const SLICE_MS = 20_000

export type ListDeps = {
  s3: Pick<S3, 'listObjectsV2'>
  timing: Timing
  listQueueUrl: string
  copyQueueUrl: string
}

/**
 * Works on one list task: lists its part, sends copy tasks on the way, and hands parts of it to other list tasks. A
 * definite error of S3 ends the listing and is reported, with what was listed before. Throws when S3 could not be reached
 * for so long that the time is up.
 */
export async function workOnListTask(task: ListTask, attempt: Attempt, deps: ListDeps): Promise<Result> {
  const { run, prefix, range, generation } = task
  const { options = {} } = run
  const { timing } = deps
  const handOnAt = Math.min(attempt.deadline, timing.now() + SLICE_MS)
  const packer = new Packer(taskSize(generation, run.batchSize), (objects) =>
    attempt.spawn(
      deps.copyQueueUrl,
      (id) => newCopyTask(id, run, objects),
      spreadSeconds(generation, timing.random),
    ),
  )
  const result = emptyResult()
  const list = (request: ListRequest) =>
    patiently(() => deps.s3.listObjectsV2(request), timing, attempt.deadline)
  try {
    await walk<ListedObject>(range, {
      prefix,
      page: async ({ startAfter, token }) => {
        const answer = await list({
          bucket: run.source.bucket,
          prefix,
          startAfter,
          continuationToken: token,
          requestPayer: options.requestPayer,
          expectedBucketOwner: options.sourceOwner,
          optionalObjectAttributes: 'RestoreStatus',
        })
        return {
          objects: answer.objects,
          token: answer.isTruncated ? answer.nextContinuationToken : undefined,
        }
      },
      emit: async (objects) => {
        const wanted = options.overwrite ? await withoutPresent(objects, run, list) : objects
        result.listed += objects.length
        result.skipped += objects.length - wanted.length
        await packer.add(wanted.map(toListed))
      },
      spawn: (rest) =>
        attempt.spawn(deps.listQueueUrl, (id) =>
          newListTask(id, run, { prefix, range: rest }, generation + 1),
        ),
      isLate: () => timing.now() >= handOnAt,
    })
  } catch (error) {
    if (!(error instanceof S3Error) || isTransient(error)) throw error
    result.unlisted = { part: { prefix, range }, code: error.code, message: error.message }
  }
  await packer.flush()
  return result
}

/** Repeats a call that S3 refuses for the time being until it is answered. Throws definite errors at once, others when the time is up. */
async function patiently<T>(call: () => Promise<T>, timing: Timing, deadline: number): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      const pause = backoffMs(tries, timing.random)
      if (!isTransient(error) || timing.now() + pause >= deadline) throw error
      await timing.sleep(pause)
    }
  }
}
