import { ChangeMessageVisibilityCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Timing } from '../protocol/timing.ts'

/** How long a message stays hidden after its worker was last heard of. */
const LEASE_SECONDS = 30
const RENEW_MS = 10_000

type LeaseDeps = {
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
 *
 * A worker that was frozen for longer than its lease no longer touches the message: another may hold it by now.
 */
export class Lease {
  #held = false
  /** When the message shows again unless the lease is renewed; unknown until SQS has granted it once. */
  #until = Number.POSITIVE_INFINITY
  /** The renewal under way, if any. */
  #renewing: Promise<void> = Promise.resolve()
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
    // A renewal that is on its way must not arrive after this.
    await this.#renewing
    await this.#hide(Math.ceil(afterSeconds))
  }

  stop(): void {
    this.#held = false
  }

  async #renew(): Promise<void> {
    for (;;) {
      await this.#deps.timing.sleep(RENEW_MS)
      if (!this.#held) return
      this.#renewing = this.#hide(LEASE_SECONDS)
      await this.#renewing
    }
  }

  async #hide(seconds: number): Promise<void> {
    const from = this.#deps.timing.now()
    if (from >= this.#until) return
    try {
      await this.#deps.sqs.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: this.#message.queueUrl,
          ReceiptHandle: this.#message.receiptHandle,
          VisibilityTimeout: seconds,
        }),
      )
      this.#until = from + seconds * 1000
    } catch (error) {
      this.#deps.onError(error as Error)
    }
  }
}
