import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { createWorker } from '../create-worker.ts'
import { handleEvent } from '../worker.ts'
import { workOnListTask } from './task.ts'

const { s3, deps, environment } = createWorker('list')

/** The list function: lists the parts that its tasks hold. Throws nothing; failed messages are named in the answer. */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  return await handleEvent(
    event,
    context,
    'list',
    (task, attempt) => workOnListTask(task, attempt, { s3, timing: deps.timing, ...environment }),
    deps,
  )
}
