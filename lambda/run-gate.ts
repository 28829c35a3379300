import type { SQSClient } from '@aws-sdk/client-sqs'
import { queueExists } from '../aws/queue.ts'

/** For how long an answer holds: a stopped run's tasks are dropped within this time. */
const FRESH_MS = 5_000

/**
 * Tells whether a run is going on: its run queue exists. Remembers for a few seconds, so that a busy worker asks SQS
 * now and then, not for each task.
 */
export class RunGate {
  readonly #answers = new Map<string, { open: boolean; until: number }>()
  readonly #sqs: SQSClient
  readonly #now: () => number

  constructor(sqs: SQSClient, now: () => number) {
    this.#sqs = sqs
    this.#now = now
  }

  /** Throws when SQS can't be asked for another reason than that the queue is gone. */
  async isOpen(queueUrl: string): Promise<boolean> {
    const known = this.#answers.get(queueUrl)
    if (known && known.until > this.#now()) return known.open
    const open = await queueExists(this.#sqs, queueUrl)
    this.#remember(queueUrl, open)
    return open
  }

  /** Somebody found the queue gone: the run is over, whatever was answered a moment ago. */
  close(queueUrl: string): void {
    this.#remember(queueUrl, false)
  }

  #remember(queueUrl: string, open: boolean): void {
    this.#answers.set(queueUrl, { open, until: this.#now() + FRESH_MS })
  }
}
