import * as core from '@actions/core'
import { queueExists } from '../aws/queue.ts'
import { newAttemptId, newRunId } from '../protocol/ids.ts'
import type { Run } from '../protocol/run.ts'
import { type Attachment, attach } from './checkpoint/attach.ts'
import { firstCheckpoint } from './checkpoint/checkpoint.ts'
import { openStore } from './checkpoint/open-store.ts'
import { defaultRunKey, runFolder, type Subject, watcherName } from './checkpoint/run-key.ts'
import type { CheckpointStore } from './checkpoint/store.ts'
import type { Clients } from './clients.ts'
import { UserError } from './errors.ts'
import type { Inputs } from './inputs.ts'
import { createRunQueue, deleteRunQueue, NEW_QUEUE_MS, siblingUrl } from './run-queue.ts'
import { seeds } from './seeding.ts'
import type { EnsuredStack } from './stack/index.ts'
import type { Tools } from './stack/tools.ts'
import { clearRun, saveRun } from './state.ts'
import { printable } from './text.ts'

/** A run to watch, or to leave to its watcher. The store is missing where no checkpoints can be kept. */
export type Begun = { attachment: Attachment; store: CheckpointStore | undefined; runKey: string | undefined }

/**
 * Attaches to the run of this step's key, or starts one; it is not seeded yet. From then on `post` knows of it. Throws a
 * UserError for what a person has to mend.
 */
export async function begin(
  clients: Clients,
  inputs: Inputs,
  { outputs, accountId }: EnsuredStack,
  tools: Tools,
  signal: AbortSignal,
): Promise<Begun> {
  const { mode, source, destination, batchSize, options, stackName, region, deploy, wait } = inputs
  const parts = mode === 'copy' ? seeds(inputs) : []
  const subject: Subject = { mode, source, destination, batchSize, options, parts }
  const watcher = { id: newAttemptId(), name: watcherName(process.env, process.pid), leaves: !wait }
  const runKey = inputs.runKey ?? defaultRunKey(process.env, stackName, subject, watcher.id)
  const store = await openStore(
    clients.s3,
    runFolder(stackName, runKey),
    { accountId, region },
    { given: inputs.artifactBucket, deploy, log: tools.log },
  )
  if (!store && (!wait || inputs.runKey !== undefined))
    throw new UserError(
      '`wait: false` and `run-key` need checkpoints, but there is no bucket for them. Name one in `artifact-bucket`. Nothing was started.',
    )
  const remember = ({ id, queue }: Pick<Run, 'id' | 'queue'>) =>
    saveRun({
      queueUrl: queue,
      region,
      runId: id,
      stack: { name: stackName, outputs },
      afterRun: inputs.afterRun,
      checkpoints: store && { bucket: store.bucket, folder: store.folder, watcher: watcher.id },
    })
  const createRun = async (): Promise<Run> => {
    const id = newRunId(new Date(tools.timing.now()))
    const name = `${outputs.runQueuePrefix}${id}`
    // Before it exists: a step that is killed while SQS creates it would leave it behind, and the stack awake with it.
    remember({ id, queue: siblingUrl(outputs.listQueueUrl, name) })
    const queue = await createRunQueue(clients.sqs, name).catch((error: unknown) => {
      clearRun()
      throw error
    })
    const run = { id, queue, source, destination, batchSize, options }
    remember(run)
    await tools.timing.sleep(NEW_QUEUE_MS)
    return run
  }
  if (!store) {
    const run = await createRun()
    const checkpoint = firstCheckpoint(run, subject, { ...watcher, until: 0 }, tools.timing.now())
    return { attachment: { how: 'started', checkpoint, etag: '' }, store, runKey: undefined }
  }
  const attachment = await attach({
    store,
    subject,
    watcher,
    wait,
    signal,
    timing: tools.timing,
    onWait: (name) =>
      core.info(
        `This run is, or was until recently, watched by ${printable(name)}. Waiting up to two minutes to see whether it still is.`,
      ),
    createRun,
    deleteQueue: async (queue) => {
      await deleteRunQueue(clients.sqs, queue)
      clearRun()
    },
    isGoingOn: ({ queue }) => queueExists(clients.sqs, queue),
  })
  if (attachment.how === 'attached') {
    remember(attachment.checkpoint.run)
    core.info(
      `Attached to the run that started at ${new Date(attachment.checkpoint.startedAt).toISOString()}`,
    )
  }
  return { attachment, store, runKey }
}
