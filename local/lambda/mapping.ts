import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Queue, Sqs } from '../sqs.ts'
import { failedMessages } from './batch-response.ts'
import { LambdaError } from './errors.ts'
import { receiveRecords, toEvent } from './event.ts'
import type { FunctionRevision } from './function.ts'
import type { Outcome } from './instance.ts'
import { hopsOf, MOST_HOPS } from './lineage.ts'
import type { Slots } from './slots.ts'

export type MappingSettings = {
  queueArn: string
  functionName: string
  enabled: boolean
  /** Messages in one invocation at most. */
  batchSize: number
  /** Invocations at a time at most: 2–1,000. */
  maximumConcurrency?: number | undefined
  reportBatchItemFailures: boolean
}

type MappingDeps = {
  region: string
  sqs: Pick<Sqs, 'store' | 'traceOf'>
  slots: Slots
  invoke: (functionName: string, event: string, trace?: string) => Promise<Outcome>
  findFunction: (name: string) => FunctionRevision | undefined
}

type State = 'Creating' | 'Enabling' | 'Enabled' | 'Disabling' | 'Disabled' | 'Updating' | 'Deleting'

/** Lambda starts with 5 concurrent invocations of a mapping and adds 300 a minute while there is a backlog. */
const START_CONCURRENCY = 5
const RAMP_PER_SECOND = 5
const LONG_POLL_SECONDS = 20
/** How long a mapping is between two states; on AWS it takes some seconds up to a minute. */
const TRANSITION_MS = 200
const ASK_AGAIN_MS = 500

/** Polls a queue and invokes a function with what is there, as Lambda's event source mappings do. */
export class Mapping {
  readonly id = randomUUID()
  settings: MappingSettings
  state: State
  lastModified = new Date()
  /** Kept when the state is Enabled or Disabled. */
  settled: Promise<void>
  readonly #deps: MappingDeps
  readonly #running = new Set<Promise<void>>()
  #stop: AbortController | undefined
  #busySince: number | undefined

  /** Throws {@link LambdaError} when the queue is missing or hides its messages for less than the function's timeout. */
  constructor(settings: MappingSettings, deps: MappingDeps) {
    this.#deps = deps
    check(settings, deps)
    this.settings = settings
    this.state = 'Creating'
    this.settled = this.#settle()
  }

  /** Changes settings; a mapping that is between two states refuses. Throws {@link LambdaError}. */
  update(changes: Partial<MappingSettings>): void {
    if (this.state !== 'Enabled' && this.state !== 'Disabled')
      throw new LambdaError(
        'ResourceInUseException',
        `Cannot update the event source mapping because it is in use (${this.state}).`,
      )
    const settings = { ...this.settings, ...changes }
    check(settings, this.#deps)
    if (settings.enabled !== this.settings.enabled) this.state = settings.enabled ? 'Enabling' : 'Disabling'
    else this.state = 'Updating'
    this.settings = settings
    this.lastModified = new Date()
    this.#stop?.abort()
    this.settled = this.#settle()
  }

  /** Stops polling for ever; invocations under way go on. */
  delete(): void {
    this.state = 'Deleting'
    this.#stop?.abort()
  }

  async #settle(): Promise<void> {
    await delay(TRANSITION_MS, undefined, { ref: false })
    if (this.state === 'Deleting') return
    this.state = this.settings.enabled ? 'Enabled' : 'Disabled'
    if (this.state === 'Disabled') return
    this.#stop = new AbortController()
    void this.#poll(this.#stop.signal)
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { slots, region } = this.#deps
    const queues = this.#deps.sqs.store
    const { queueArn, batchSize } = this.settings
    while (!signal.aborted) {
      const queue = queues.getQueueByArn(queueArn)
      if (!queue) {
        await delay(ASK_AGAIN_MS, undefined, { ref: false })
      } else if (this.#running.size >= this.#allowed()) {
        await Promise.race([...this.#running, delay(ASK_AGAIN_MS, undefined, { ref: false })])
      } else if (!slots.tryTake()) {
        await slots.freed()
      } else {
        const records = receiveRecords(queue, batchSize, region, (arn) => queues.getQueueByArn(arn))
        if (records.length > 0) {
          this.#run(queue, records)
          continue
        }
        slots.give()
        if (this.#running.size === 0) this.#busySince = undefined
        await queue.waitForMessages(LONG_POLL_SECONDS)
      }
    }
  }

  /** Invocations that may run now: what the ramp has come to, up to the mapping's own limit. */
  #allowed(): number {
    const seconds = this.#busySince === undefined ? 0 : (Date.now() - this.#busySince) / 1000
    const ramp = START_CONCURRENCY + Math.floor(seconds * RAMP_PER_SECOND)
    return Math.min(ramp, this.settings.maximumConcurrency ?? this.#deps.slots.limit)
  }

  #run(queue: Queue, records: ReturnType<typeof receiveRecords>): void {
    this.#busySince ??= Date.now()
    const running = this.#invoke(queue, records).finally(() => {
      this.#running.delete(running)
      this.#deps.slots.give()
    })
    this.#running.add(running)
  }

  /** One invocation. What succeeded is deleted; the rest comes back when the queue shows it again. */
  async #invoke(queue: Queue, records: ReturnType<typeof receiveRecords>): Promise<void> {
    const { functionName, reportBatchItemFailures } = this.settings
    const { sqs, invoke, findFunction } = this.#deps
    const trace = records
      .map(({ messageId }) => sqs.traceOf(messageId))
      .reduce((a, b) => (hopsOf(a, functionName) < hopsOf(b, functionName) ? b : a))
    const isLoop = hopsOf(trace, functionName) >= MOST_HOPS
    if (isLoop && findFunction(functionName)?.recursiveLoop !== 'Allow') return
    const outcome = await invoke(functionName, toEvent(records), trace)
    if ('error' in outcome) return
    const failed = reportBatchItemFailures
      ? failedMessages(
          outcome.payload,
          records.map(({ messageId }) => messageId),
        )
      : new Set<string>()
    for (const { messageId, receiptHandle } of records)
      if (!failed.has(messageId)) queue.deleteMessage(receiptHandle)
  }
}

function check(settings: MappingSettings, { sqs, findFunction }: MappingDeps): void {
  const { queueArn, functionName, batchSize, maximumConcurrency: maximum = 2 } = settings
  const invalid = (message: string): LambdaError => new LambdaError('InvalidParameterValueException', message)
  const queue = sqs.store.getQueueByArn(queueArn)
  if (!queue) throw invalid(`Error occurred while ReceiveMessage. The queue ${queueArn} does not exist.`)
  const timeout = findFunction(functionName)?.timeout
  if (timeout === undefined)
    throw new LambdaError('ResourceNotFoundException', `Function not found: ${functionName}`)
  const visibility = Number(queue.attributes.VisibilityTimeout)
  if (visibility < timeout)
    throw invalid(
      `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`,
    )
  if (!(batchSize >= 1 && batchSize <= 10))
    throw invalid(`BatchSize must be 1 to 10 without a batching window, not ${batchSize}`)
  if (!(maximum >= 2 && maximum <= 1000))
    throw invalid(`MaximumConcurrency must be 2 to 1000, not ${maximum}`)
}
