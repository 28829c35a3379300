import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import type { CheckAnswer, CheckEvent } from '../../protocol/check.ts'
import { createWorker } from '../create-worker.ts'
import { handleEvent } from '../worker.ts'
import { check } from './check.ts'
import { Pace } from './pace.ts'
import { workOnCopyTask } from './task.ts'

const { s3, deps, environment } = createWorker('copy')
const paces = new Map<string, Pace>()

/** Each destination bucket has limits of its own, so each has its own pace; a warm instance remembers it. */
function paceOf(bucket: string): Pace {
  const pace = paces.get(bucket) ?? new Pace(deps.timing)
  paces.set(bucket, pace)
  return pace
}

/**
 * The copy function: copies the objects that its tasks hold, or checks whether a run can be done. Throws nothing; failed
 * messages are named in the answer.
 */
export async function handler(
  event: SQSEvent | CheckEvent,
  context: Context,
): Promise<SQSBatchResponse | CheckAnswer> {
  if ('check' in event) return await check(event.check, s3)
  return await handleEvent(
    event,
    context,
    'copy',
    (task, attempt) =>
      workOnCopyTask(task, attempt, {
        s3,
        pace: paceOf(task.run.destination.bucket),
        timing: deps.timing,
        queueUrl: environment.copyQueueUrl,
      }),
    deps,
  )
}
