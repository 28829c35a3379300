import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { Cpu } from './cpu.ts'
import { type Message, Queue } from './queue.ts'
import type { VirtualTime } from './virtual-time.ts'

type SqsModel = {
  /** Milliseconds that a request takes. */
  latencyMs: number
  /** Share of messages that are delivered twice. */
  duplicates: number
  /** How far behind the counts of messages are. */
  countLagMs: number
  /** What it takes a list function to make and send a KiB of copy tasks, in milliseconds of a whole vCPU (docs/benchmarks.md). */
  sendCpuMs: number
}

/** Bytes for which SQS bills a request of its own (SQS pricing). */
const BILLED_BYTES = 64 * 1024

/** A model of SQS: the calls that workers make through a client, and what the model of Lambda needs. */
export class SimulatedSqs {
  /** Requests as they are billed: more than one where they carry more than 64 KiB. */
  requests = 0
  readonly #queues = new Map<string, Queue>()
  readonly #time: VirtualTime
  readonly #model: SqsModel
  #ids = 0

  constructor(time: VirtualTime, model: SqsModel) {
    this.#time = time
    this.#model = model
  }

  /** What the workers take for the SDK's client. With a CPU, what is sent costs it time. */
  client(cpu?: Cpu): SQSClient {
    const send = async (command: unknown) => {
      if (cpu && command instanceof SendMessageBatchCommand)
        await cpu.work((this.#model.sendCpuMs * bytesOf(command)) / 1024)
      return await this.#send(command)
    }
    return { send } as unknown as SQSClient
  }

  put(queueUrl: string, body: string, delayMs = 0): void {
    const copies = this.#time.random() < this.#model.duplicates ? 2 : 1
    for (let copy = 0; copy < copies; copy++)
      this.#later(this.#queue(queueUrl), { id: `m${this.#ids++}`, body, receives: 0 }, delayMs)
  }

  /** Takes a message as Lambda's poller does; waits for one. Undefined when `ended` says that none will come. */
  async take(queueUrl: string, visibilityMs: number, ended: () => boolean): Promise<Message | undefined> {
    const queue = this.#queue(queueUrl)
    while (queue.depth === 0) {
      if (ended()) return undefined
      await new Promise<void>((resolve) => queue.receivers.push(resolve))
    }
    const message = queue.take(this.#time.random, this.#time.now())
    this.#bill(message.body.length)
    message.receives++
    this.#hide(queue, message, visibilityMs)
    await this.#time.sleep(this.#model.latencyMs)
    return message
  }

  /** All that waits on a queue, received and deleted in tens. */
  takeAll(queueUrl: string): string[] {
    const bodies = this.#queue(queueUrl)
      .takeAll(this.#time.now())
      .map(({ body }) => body)
    this.requests += 1 + 2 * Math.ceil(bodies.length / 10)
    return bodies
  }

  delete(queueUrl: string, message: Message): void {
    this.requests++
    this.#queue(queueUrl).inFlight.delete(message.id)
  }

  /** Wakes everybody who waits for a message, so that they see that the run has ended. */
  wakeAll(): void {
    for (const queue of this.#queues.values()) for (const wake of queue.receivers.splice(0)) wake()
  }

  async #send(command: unknown): Promise<unknown> {
    await this.#time.sleep(this.#model.latencyMs)
    if (command instanceof SendMessageBatchCommand) {
      const { QueueUrl = '', Entries = [] } = command.input
      this.#bill(bytesOf(command))
      for (const { MessageBody = '', DelaySeconds = 0 } of Entries)
        this.put(QueueUrl, MessageBody, DelaySeconds * 1000)
      return { Failed: [] }
    }
    if (command instanceof SendMessageCommand) {
      this.#bill(command.input.MessageBody?.length ?? 0)
      this.put(command.input.QueueUrl ?? '', command.input.MessageBody ?? '')
      return {}
    }
    this.#bill(0)
    if (command instanceof ChangeMessageVisibilityCommand) {
      const { QueueUrl = '', ReceiptHandle = '', VisibilityTimeout = 0 } = command.input
      const queue = this.#queue(QueueUrl)
      const held = queue.inFlight.get(ReceiptHandle)
      if (held) this.#hide(queue, held.message, VisibilityTimeout * 1000)
      return {}
    }
    if (command instanceof GetQueueAttributesCommand) {
      const waiting = this.#queue(command.input.QueueUrl ?? '').depthAt(
        this.#time.now() - this.#model.countLagMs,
      )
      return { Attributes: { ApproximateNumberOfMessages: String(waiting) } }
    }
    throw new Error(`the model of SQS has no ${(command as object).constructor.name}`)
  }

  /** Bills a request with bodies of so many bytes. */
  #bill(bytes: number): void {
    this.requests += Math.max(1, Math.ceil(bytes / BILLED_BYTES))
  }

  #hide(queue: Queue, message: Message, ms: number): void {
    const hidden = (queue.inFlight.get(message.id)?.hidden ?? 0) + 1
    queue.inFlight.set(message.id, { message, hidden })
    void this.#time.sleep(ms).then(() => {
      if (queue.inFlight.get(message.id)?.hidden !== hidden) return
      queue.inFlight.delete(message.id)
      this.#show(queue, message)
    })
  }

  #later(queue: Queue, message: Message, delayMs: number): void {
    if (delayMs === 0) this.#show(queue, message)
    else void this.#time.sleep(delayMs).then(() => this.#show(queue, message))
  }

  #show(queue: Queue, message: Message): void {
    queue.put(message, this.#time.now())
    queue.receivers.shift()?.()
  }

  #queue(url: string): Queue {
    const queue = this.#queues.get(url) ?? new Queue()
    this.#queues.set(url, queue)
    return queue
  }
}

function bytesOf({ input }: SendMessageBatchCommand): number {
  return (input.Entries ?? []).reduce((sum, { MessageBody = '' }) => sum + MessageBody.length, 0)
}
