import {
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { BATCH_BYTES } from '../protocol/limits.ts'
import { backoffMs, type Timing } from '../protocol/timing.ts'

/** Entries of one SendMessageBatch at most (SQS API reference). */
const BATCH_ENTRIES = 10
/** SQS calls throttling the sender's fault: RequestThrottled, KmsThrottled (SQS API model). */
const THROTTLED = /Throttl/
/** Times that one message is offered to SQS before its task is given up and left to redelivery. */
const TRIES = 6
/** Batches on their way at once; a producer that is faster waits. */
const PARALLEL = 8

type Queued = { body: string; delaySeconds: number }

/**
 * Sends messages to one queue in as few requests as SQS allows.
 *
 * SendMessageBatch answers 200 with the entries that it refused: those are sent again. Bodies must be ASCII, so that
 * their length is their size.
 */
export class Sender {
  #batch: Queued[] = []
  #bytes = 0
  #sending = new Set<Promise<void>>()
  #failure: unknown

  readonly #sqs: SQSClient
  readonly #queueUrl: string
  readonly #group: string
  readonly #timing: Timing

  /**
   * @param group of all messages: letters, digits and hyphens, 128 at most. While one group has more than a tenth of the workers
   * SQS delivers those of others first (SQS developer guide, "How Amazon SQS fair queues work")
   */
  constructor(sqs: SQSClient, queueUrl: string, group: string, timing: Timing) {
    this.#sqs = sqs
    this.#queueUrl = queueUrl
    this.#group = group
    this.#timing = timing
  }

  /** Takes a message for sending; waits while too many are on their way. Throws what {@link flush} throws. */
  async send(body: string, delaySeconds = 0): Promise<void> {
    // Somebody else may fill the next batch meanwhile.
    while (
      this.#batch.length === BATCH_ENTRIES ||
      (this.#batch.length > 0 && this.#bytes + body.length > BATCH_BYTES)
    )
      await this.#dispatch()
    this.#batch.push({ body, delaySeconds })
    this.#bytes += body.length
    if (this.#failure) throw this.#failure
  }

  /** Waits until every message taken so far has been accepted by SQS. Throws the first error that repeating did not cure. */
  async flush(): Promise<void> {
    await this.#dispatch()
    await Promise.all(this.#sending)
    if (this.#failure) throw this.#failure
  }

  async #dispatch(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    this.#bytes = 0
    if (batch.length === 0) return
    while (this.#sending.size >= PARALLEL) await Promise.race(this.#sending)
    const sending = this.#deliver(batch)
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => this.#sending.delete(sending))
    this.#sending.add(sending)
  }

  async #deliver(batch: Queued[]): Promise<void> {
    let entries: SendMessageBatchRequestEntry[] = batch.map(({ body, delaySeconds }, index) => ({
      Id: String(index),
      MessageBody: body,
      MessageGroupId: this.#group,
      ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
    }))
    for (let tries = 1; ; tries++) {
      const answer = await this.#sqs.send(
        new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries: entries }),
      )
      const refused = new Map(answer.Failed?.map((failed) => [failed.Id, failed]))
      if (refused.size === 0) return
      const wrong = [...refused.values()].find(
        ({ SenderFault, Code = '' }) => SenderFault && !THROTTLED.test(Code),
      )
      const [first] = refused.values()
      if (tries === TRIES || wrong) {
        const { Code, Message = 'no reason given' } = wrong ?? first ?? {}
        throw new Error(`SQS refused ${refused.size} of ${entries.length} messages: ${Code}: ${Message}`)
      }
      entries = entries.filter(({ Id }) => refused.has(Id))
      await this.#timing.sleep(backoffMs(tries, this.#timing.random))
    }
  }
}
