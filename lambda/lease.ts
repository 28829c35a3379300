import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** How long a message stays hidden after its worker was last heard of. */
const LEASE_SECONDS = 30
const RENEW_MS = 10_000

/**
 * Hides the message of the task in work, for half a minute at a time.
 *
 * The queue's own visibility timeout must be at least the function's timeout (Lambda's rule for event source mappings),
 * so a killed worker's task would stay hidden for that long. With a lease it comes back within 30 s.
 */
export class Lease {
  #timer: NodeJS.Timeout | undefined
  readonly #sqs: SQSClient
  readonly #message: { queueUrl: string; receiptHandle: string }
  readonly #onError: (error: Error) => void

  /**
   * @param onError told when SQS refuses; the work goes on, since a message that shows up too early only means that
   *   another worker tries the task too, which is harmless
   */
  constructor(
    sqs: SQSClient,
    message: { queueUrl: string; receiptHandle: string },
    onError: (error: Error) => void,
  ) {
    this.#sqs = sqs
    this.#message = message
    this.#onError = onError
  }

  async hold(): Promise<void> {
    this.#timer = setInterval(() => void this.#hide(LEASE_SECONDS), RENEW_MS)
    await this.#hide(LEASE_SECONDS)
  }

  /** Ends the lease and shows the message again after so many seconds. */
  async release(afterSeconds: number): Promise<void> {
    this.stop()
    await this.#hide(Math.ceil(afterSeconds))
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #hide(seconds: number): Promise<void> {
    try {
      await this.#sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: this.#message.queueUrl,
          ReceiptHandle: this.#message.receiptHandle,
          VisibilityTimeout: seconds,
        }),
      )
    } catch (error) {
      this.#onError(error as Error)
    }
  }
}
