import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Timing } from '../protocol/timing.ts'

/** How long a message stays hidden after its worker was last heard of. */
const LEASE_SECONDS = 30
const RENEW_MS = 10_000

export type LeaseDeps = {
  sqs: SQSClient
  timing: Timing
  /** Told when SQS refuses. The work goes on: a message that shows too early only means that another worker tries it too. */
  onError: (error: Error) => void
}

/**
 * Hides the message of the task in work, for half a minute at a time.
 *
 * The queue's own visibility timeout must be at least the function's timeout (Lambda's rule for event source mappings),
 * so a killed worker's task would stay hidden for that long. With a lease it comes back within 30 s.
 */
export class Lease {
  #held = false
  readonly #message: { queueUrl: string; receiptHandle: string }
  readonly #deps: LeaseDeps

  constructor(message: { queueUrl: string; receiptHandle: string }, deps: LeaseDeps) {
    this.#message = message
    this.#deps = deps
  }

  async hold(): Promise<void> {
    this.#held = true
    await this.#hide(LEASE_SECONDS)
    void this.#renew()
  }

  /** Ends the lease and shows the message again after so many seconds. */
  async release(afterSeconds: number): Promise<void> {
    this.stop()
    await this.#hide(Math.ceil(afterSeconds))
  }

  stop(): void {
    this.#held = false
  }

  async #renew(): Promise<void> {
    for (;;) {
      await this.#deps.timing.sleep(RENEW_MS)
      if (!this.#held) return
      await this.#hide(LEASE_SECONDS)
    }
  }

  async #hide(seconds: number): Promise<void> {
    try {
      await this.#deps.sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: this.#message.queueUrl,
          ReceiptHandle: this.#message.receiptHandle,
          VisibilityTimeout: seconds,
        }),
      )
    } catch (error) {
      this.#deps.onError(error as Error)
    }
  }
}
