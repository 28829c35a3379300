import {
  ChangeMessageVisibilityBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { decodeTask, type Failure, traceOf } from '../protocol/message.ts'
import type { Failures } from './failures.ts'
import type { Ledger } from './ledger.ts'
import type { UnlistedParts } from './unlisted.ts'

/** Messages of one ReceiveMessage at most (SQS API reference). */
const BATCH = 10
/** Messages that one look reads at most: 1,000 requests. */
const MOST = 10_000

/** A message of the DLQ. */
export type DeadLetter = { id: string; body: string }

/** What the DLQ holds of this run, and what nobody can say whose it is. */
export class DeadLetters {
  /** Messages that name this run but are no task of it, by message id. */
  readonly #strangers = new Map<string, string | undefined>()
  readonly #nameless = new Set<string>()

  readonly #runId: string
  readonly #ledger: Ledger
  readonly #failures: Failures
  readonly #unlisted: UnlistedParts

  constructor(runId: string, ledger: Ledger, failures: Failures, unlisted: UnlistedParts) {
    this.#runId = runId
    this.#ledger = ledger
    this.#failures = failures
    this.#unlisted = unlisted
  }

  /** Messages of this run in the DLQ. */
  get messages(): number {
    const strangers = [...this.#strangers.values()].filter((task) => !task || !this.#ledger.counts(task))
    return this.#ledger.totals.deadTasks + strangers.length
  }

  /** Messages that name no run at all, so that no run counts them. */
  get nameless(): number {
    return this.#nameless.size
  }

  /** Takes one message of the DLQ in; the same one again changes nothing. */
  async take({ id, body }: DeadLetter): Promise<void> {
    const trace = traceOf(body)
    if (!trace) {
      this.#nameless.add(id)
      return
    }
    if (trace.runId !== this.#runId) return
    const task = readTask(body)
    if (!task) this.#strangers.set(id, trace.taskId)
    const name = task?.id ?? trace.taskId
    if (!name || !(task || this.#ledger.counts(name))) return
    const objects = task?.kind === 'copy' ? task.objects : []
    const deadObjects = task ? objects.length : trace.objects
    if (!this.#ledger.settle({ task: name, totals: { deadTasks: 1, deadObjects } })) return
    if (task?.kind === 'list')
      this.#unlisted.add(name, { part: { prefix: task.prefix, range: task.range }, ...DEAD_LETTERED })
    await this.#failures.add(name, objects.map(toFailure))
  }
}

function readTask(body: string) {
  try {
    return decodeTask(body)
  } catch {
    return undefined
  }
}

const DEAD_LETTERED = { code: 'DeadLettered', message: 'its task was tried too often without finishing' }

function toFailure({ key }: { key: string }): Failure {
  return { key, ...DEAD_LETTERED }
}

/** For how long a look at the DLQ hides what it has seen from the same look. */
const LOOK_SECONDS = 30

/**
 * Reads through the DLQ and leaves everything there: it is for people, and for other runs too.
 * @returns the messages that this look came across; a later look may come across others
 */
export async function look(sqs: SQSClient, queueUrl: string, signal: AbortSignal): Promise<DeadLetter[]> {
  const found = new Map<string, { body: string; receipt: string }>()
  while (found.size < MOST) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: BATCH,
        VisibilityTimeout: LOOK_SECONDS,
      }),
      { abortSignal: signal },
    )
    if (Messages.length === 0) break
    for (const { MessageId = '', Body = '', ReceiptHandle = '' } of Messages)
      found.set(MessageId, { body: Body, receipt: ReceiptHandle })
  }
  await showAgain(sqs, queueUrl, [...found.values()])
  return [...found].map(([id, { body }]) => ({ id, body }))
}

/** Lets others see at once what a look has hidden; if this fails they see it half a minute later. */
async function showAgain(sqs: SQSClient, queueUrl: string, messages: { receipt: string }[]): Promise<void> {
  for (let from = 0; from < messages.length; from += BATCH)
    await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: queueUrl,
        Entries: messages
          .slice(from, from + BATCH)
          .map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt, VisibilityTimeout: 0 })),
      }),
    )
}
