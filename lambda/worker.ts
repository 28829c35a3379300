import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { Logger } from '@aws-lambda-powertools/logger'
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { isQueueGone } from '../aws/queue.ts'
import { Sender } from '../aws/sender.ts'
import { newAttemptId, taskId } from '../protocol/ids.ts'
import { MalformedMessageError, PROTOCOL } from '../protocol/message.ts'
import { encodeOutcome, type Outcome } from '../protocol/outcome.ts'
import { decodeTask, encodeTask, type Task } from '../protocol/task.ts'
import type { Timing } from '../protocol/timing.ts'
import { Lease } from './lease.ts'
import type { RunGate } from './run-gate.ts'

/** Kept back from the invocation's time for sending what was spawned and the outcome. */
const RESERVE_MS = 10_000
/** Of these, kept back from requests that are still under way. */
const ABORT_MS = 6_000
const GONE_AFTER_RECEIVES = 2
const ASK_AGAIN_SECONDS = 5

export type WorkerDeps = {
  sqs: SQSClient
  /** The queue that feeds this function. */
  queueUrl: string
  gate: RunGate
  logger: Pick<Logger, 'info' | 'warn' | 'error'>
  timing: Timing
}

/** One attempt at a task: its clock, and a way to spawn children that are named after it. */
export type Attempt = {
  /** Milliseconds since the epoch at which the work has to be handed on. */
  deadline: number
  /** Aborted a little later: whatever is still under way then would take the function's last seconds. */
  signal: AbortSignal
  /**
   * Sends a child task to a queue, in the message group of its run: `make` gets the child's id. It may leave only with others
   * that fill a request, or when {@link dispatch} is called.
   */
  spawn: (queueUrl: string, make: (id: string) => Task, delaySeconds?: number) => Promise<void>
  /** Waits until all that was spawned has left. */
  dispatch: () => Promise<void>
}

type Limits = Pick<Attempt, 'deadline' | 'signal'>

/** What the work on a task comes to; the worker adds who did it and what it spawned. */
export type Result = Omit<Outcome, 'v' | 'kind' | 'task' | 'attempt' | 'children'>

/** The result of work that comes to nothing. */
export function emptyResult(): Result {
  return { listed: 0, copied: 0, skipped: 0, vanished: 0, reclassed: 0, bytes: 0, failures: [] }
}

/**
 * Handles one SQS event: each message is read, leased, worked on and reported on its run queue.
 *
 * Messages that failed are named in the answer, so that SQS repeats only those. A message that is no task of this
 * protocol is refused and shown to SQS again at once, which brings it to the DLQ within seconds.
 */
export async function handleEvent<K extends Task['kind']>(
  event: SQSEvent,
  context: Context,
  kind: K,
  work: (task: Extract<Task, { kind: K }>, attempt: Attempt) => Promise<Result>,
  deps: WorkerDeps,
): Promise<SQSBatchResponse> {
  const leftMs = context.getRemainingTimeInMillis()
  const limits = {
    deadline: deps.timing.now() + leftMs - RESERVE_MS,
    signal: AbortSignal.timeout(Math.max(0, Math.floor(leftMs - ABORT_MS))),
  }
  const processor = new BatchProcessor(EventType.SQS)
  return await processPartialResponse(
    event,
    (record: SQSRecord) => handleRecord(record, limits, kind, work, deps),
    processor,
    {
      context,
      throwOnFullBatchFailure: false,
    },
  )
}

async function handleRecord<K extends Task['kind']>(
  record: SQSRecord,
  limits: Limits,
  kind: K,
  work: (task: Extract<Task, { kind: K }>, attempt: Attempt) => Promise<Result>,
  { sqs, queueUrl, gate, logger, timing }: WorkerDeps,
): Promise<void> {
  const receives = Number(record.attributes.ApproximateReceiveCount)
  const about = { messageId: record.messageId, receives }
  const lease = new Lease(
    { queueUrl, receiptHandle: record.receiptHandle },
    {
      sqs,
      timing,
      onError: (error) =>
        logger.warn('could not change how long a message stays hidden', { ...about, error }),
    },
  )
  try {
    const task = readTask(record.body, kind)
    if (!(await gate.isOpen(task.run.queue))) {
      // A queue that was created a moment ago may not be known everywhere yet: ask again before giving a task up.
      if (receives < GONE_AFTER_RECEIVES) throw new RunQueueMissingError(task.run.id)
      logger.info('dropped a task of a run that is over', { ...about, run: task.run.id, task: task.id })
      return
    }
    await lease.hold()
    const attempt = newAttempt(sqs, task.run.id, timing, limits)
    const result = await work(task, attempt)
    const outcome = {
      v: PROTOCOL,
      kind,
      task: task.id,
      attempt: attempt.id,
      children: await attempt.sent(),
      ...result,
    } satisfies Outcome
    await report(sqs, gate, task.run.queue, outcome)
  } catch (error) {
    if (error instanceof MalformedMessageError) {
      logger.error(`refused a message: ${error.message}. It goes to the DLQ.`, about)
      await lease.release(0)
    } else if (error instanceof RunQueueMissingError) {
      await lease.release(ASK_AGAIN_SECONDS)
    } else {
      logger.error('a task failed and will be tried again', { ...about, error: error as Error })
      await lease.release(retrySeconds(receives, timing.random))
    }
    throw error
  } finally {
    lease.stop()
  }
}

/** How long a task that failed stays hidden: longer each time, up to a minute, and not the same for all. */
function retrySeconds(receives: number, random: () => number): number {
  return Math.min(60, 2 ** (receives + 1)) * (0.5 + random() / 2)
}

class RunQueueMissingError extends Error {
  constructor(runId: string) {
    super(`the queue of run ${runId} was not found`)
  }
}

function readTask<K extends Task['kind']>(body: string, kind: K): Extract<Task, { kind: K }> {
  const task = decodeTask(body)
  if (task.kind !== kind) throw new MalformedMessageError(`a ${task.kind} task on the ${kind} queue`)
  return task as Extract<Task, { kind: K }>
}

function newAttempt(
  sqs: SQSClient,
  runId: string,
  timing: Timing,
  limits: Limits,
): Attempt & { id: string; sent: () => Promise<number> } {
  const id = newAttemptId()
  const senders = new Map<string, Sender>()
  let children = 0
  const dispatch = async () => {
    await Promise.all([...senders.values()].map((sender) => sender.flush()))
  }
  return {
    id,
    ...limits,
    async spawn(queueUrl, make, delaySeconds = 0) {
      const sender = senders.get(queueUrl) ?? new Sender(sqs, queueUrl, runId, timing)
      senders.set(queueUrl, sender)
      await sender.send(encodeTask(make(taskId(id, children++))), delaySeconds)
    },
    dispatch,
    async sent() {
      await dispatch()
      return children
    },
  }
}

/** Puts an outcome on the run queue; does nothing when that queue is gone, for then the run is over. */
async function report(sqs: SQSClient, gate: RunGate, queueUrl: string, outcome: Outcome): Promise<void> {
  try {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: encodeOutcome(outcome) }))
  } catch (error) {
    if (!isQueueGone(error)) throw error
    gate.close(queueUrl)
  }
}
