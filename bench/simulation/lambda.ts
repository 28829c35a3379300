import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import type { Message } from './queue.ts'
import type { SimulatedSqs } from './sqs.ts'
import type { VirtualTime } from './virtual-time.ts'

type LambdaModel = {
  /** Executions at once when a mapping wakes up, and how many more each minute (Lambda guide, SQS scaling). */
  startConcurrency: number
  growthPerMinute: number
  coldStartMs: number
  /** From the message's arrival to the handler, warm. */
  invokeMs: number
}

type SimulatedFunction = {
  name: string
  queueUrl: string
  maxConcurrency: number
  timeoutMs: number
  memoryMb: number
  visibilityMs: number
  /** Makes an instance: its handler, with whatever a warm instance keeps. */
  instance: () => (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>
}

type Usage = { invocations: number; gbSeconds: number }

/** A model of Lambda with event source mappings of batch size 1: scaling, cold starts, and what it bills. */
export class SimulatedLambda {
  readonly usage = new Map<string, Usage>()
  readonly #time: VirtualTime
  readonly #sqs: SimulatedSqs
  readonly #model: LambdaModel

  constructor(time: VirtualTime, sqs: SimulatedSqs, model: LambdaModel) {
    this.#time = time
    this.#sqs = sqs
    this.#model = model
  }

  /** Runs a function's mapping until `ended`. */
  async map(fn: SimulatedFunction, ended: () => boolean): Promise<void> {
    const { startConcurrency, growthPerMinute } = this.#model
    const usage = { invocations: 0, gbSeconds: 0 }
    this.usage.set(fn.name, usage)
    const slots: Promise<void>[] = []
    for (let slot = 0; slot < fn.maxConcurrency; slot++) {
      const startsAt =
        slot < startConcurrency ? 0 : ((slot - startConcurrency + 1) * 60_000) / growthPerMinute
      slots.push(this.#slot(fn, startsAt, usage, ended))
    }
    await Promise.all(slots)
  }

  /** One execution after another, each on the same instance: what a mapping does that always has work. */
  async #slot(fn: SimulatedFunction, startsAt: number, usage: Usage, ended: () => boolean): Promise<void> {
    await this.#time.sleep(startsAt)
    let handler: ReturnType<SimulatedFunction['instance']> | undefined
    while (!ended()) {
      const message = await this.#sqs.take(fn.queueUrl, fn.visibilityMs, ended)
      if (!message) return
      if (!handler) {
        await this.#time.sleep(this.#model.coldStartMs)
        usage.gbSeconds += gbSeconds(fn, this.#model.coldStartMs)
        handler = fn.instance()
      }
      await this.#time.sleep(this.#model.invokeMs)
      const startedAt = this.#time.now()
      const answer = await handler(toEvent(message, fn), this.#context(fn))
      usage.invocations++
      usage.gbSeconds += gbSeconds(fn, this.#time.now() - startedAt)
      if (answer.batchItemFailures.length === 0) this.#sqs.delete(fn.queueUrl, message)
    }
  }

  #context(fn: SimulatedFunction): Context {
    const endsAt = this.#time.now() + fn.timeoutMs
    return { getRemainingTimeInMillis: () => endsAt - this.#time.now() } as Context
  }
}

function gbSeconds({ memoryMb }: SimulatedFunction, ms: number): number {
  return (ms / 1000) * (memoryMb / 1024)
}

function toEvent({ id, body, receives }: Message, { queueUrl }: SimulatedFunction): SQSEvent {
  return {
    Records: [
      {
        messageId: id,
        receiptHandle: id,
        body,
        attributes: {
          ApproximateReceiveCount: String(receives),
          SentTimestamp: '0',
          SenderId: '',
          ApproximateFirstReceiveTimestamp: '0',
        },
        messageAttributes: {},
        md5OfBody: '',
        eventSource: 'aws:sqs',
        eventSourceARN: queueUrl,
        awsRegion: 'simulation',
      },
    ],
  }
}
