import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import type { CheckAnswer, CheckEvent } from '../../protocol/check.ts'
import { createWorker } from '../create-worker.ts'
import { handleEvent } from '../worker.ts'
import { check } from './check.ts'
import { type ListDeps, workOnListTask } from './task.ts'
import { waitingIn } from './waiting.ts'

const { s3, deps, environment } = createWorker('list')
const listing: ListDeps = {
  s3,
  timing: deps.timing,
  waiting: (queueUrl) => waitingIn(queueUrl, deps.sqs),
  ...environment,
}

/**
 * The list function: lists the parts that its tasks hold, or checks whether a run can be done. Throws nothing; failed
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
    'list',
    (task, attempt) => workOnListTask(task, attempt, listing),
    deps,
  )
}
