import * as core from '@actions/core'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Run } from '../protocol/run.ts'
import type { CheckpointStore } from './checkpoint/store.ts'
import { explain } from './errors.ts'
import { deleteRunQueue } from './run-queue.ts'
import { logLine } from './text.ts'

/** Ends a run: workers drop what is left of it, and nobody can attach to it any more. May be called again. */
export async function endRun(
  sqs: SQSClient,
  store: CheckpointStore | undefined,
  { id, queue }: Pick<Run, 'id' | 'queue'>,
): Promise<void> {
  await deleteRunQueue(sqs, queue)
  try {
    const last = await store?.read()
    if (last?.checkpoint.run.id === id) await store?.remove(last)
  } catch (error) {
    core.info(`The checkpoints of run ${id} stay until they expire: ${logLine(explain(error))}`)
  }
}
