import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buildApp } from 'fauxqs'
import type { Handler } from './http.ts'

type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>
/** The queues in memory, which the event source mappings and CloudFormation use without HTTP. */
export type QueueStore = Stores['sqsStore']
export type Queue = NonNullable<ReturnType<QueueStore['getQueueByArn']>>

export type Sqs = {
  handle: Handler
  store: QueueStore
  /** Trace header of the request that sent a message, while the message is in its queue. */
  traceOf: (messageId: string) => string | undefined
  stop: () => Promise<void>
}

/** A call as {@link SqsFaults} sees it. */
export type SqsCall = { action: string; queue: string | undefined; entries: number }

/**
 * What happens instead of the ordinary answer:
 * - `error`: SQS's error with this code; the work is not done.
 * - `refused`: the entries at these places of a batch come back as failed, through no fault of the sender.
 * - `stale`: GetQueueAttributes counts no message at all.
 */
export type SqsFault =
  | { kind: 'error'; code: string; status: number }
  | { kind: 'refused'; entries: number[] }
  | { kind: 'stale' }

export type SqsFaults = {
  /** Called before the work of each request is done. */
  intercept?: (call: SqsCall) => SqsFault | undefined
  /** Called for each message that is sent: how long each copy of it is held back. The default is one at once. */
  deliver?: (queue: string) => number[]
}

/** How long the name of a deleted queue stays taken (SQS API reference, DeleteQueue). */
const DELETED_RECENTLY_MS = 60_000

/**
 * SQS by fauxqs, in this process and without a port of its own.
 *
 * Three things are put right here: queue URLs name the endpoint that was asked, since `sqs.REGION.localhost` need not
 * resolve; the name of a deleted queue stays taken for 60 s; and counts are read after hidden messages whose time is
 * up have become visible again, which fauxqs does on a receive only.
 */
export async function createSqs(region: string, faults: SqsFaults = {}): Promise<Sqs> {
  const store = await createStore()
  store.host = ''
  if (faults.deliver) holdBack(store, faults.deliver)
  const { traces, inRequest } = keepTraces(store)
  const deletedAt = new Map<string, number>()
  const app = buildApp({
    logger: false,
    defaultRegion: region,
    // fauxqs makes the stores of its other services itself.
    stores: { sqsStore: store } as Stores,
  })
  app.addHook('preHandler', async (request, reply) => {
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
    const { QueueName, QueueUrl } = (request.body ?? {}) as { QueueName?: string; QueueUrl?: string }
    const queue = QueueUrl ? store.getQueue(QueueUrl) : undefined
    if (action === 'GetQueueAttributes') queue?.processTimers()
    if (action === 'DeleteQueue' && queue) deletedAt.set(queue.name, Date.now())
    if (action === 'CreateQueue' && Date.now() - (deletedAt.get(QueueName ?? '') ?? 0) < DELETED_RECENTLY_MS)
      return await reply
        .status(400)
        .header('content-type', 'application/x-amz-json-1.0')
        .header('x-amzn-query-error', 'AWS.SimpleQueueService.QueueDeletedRecently;Sender')
        .send({
          __type: 'com.amazonaws.sqs#QueueDeletedRecently',
          message:
            'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
        })
  })
  if (faults.intercept) addFaults(app, store, faults.intercept)
  // Last, since whatever comes after it has to run in the request's context.
  app.addHook('preHandler', (request, _reply, done) => inRequest(request.headers['x-amzn-trace-id'], done))
  await app.ready()
  return {
    handle: (request: IncomingMessage, response: ServerResponse) => app.routing(request, response),
    store,
    traceOf: (messageId) => traces.get(messageId),
    stop: () => app.close(),
  }
}

/** fauxqs takes a store from outside but does not export the class, so it is loaded from beside the package's entry. */
async function createStore(): Promise<QueueStore> {
  const { SqsStore } = (await import(new URL('sqs/sqsStore.js', import.meta.resolve('fauxqs')).href)) as {
    SqsStore: new () => QueueStore
  }
  return new SqsStore()
}

/** Notes the trace header with which each message was sent; fauxqs tells its spy of messages as they come and go. */
function keepTraces(store: QueueStore): {
  traces: ReadonlyMap<string, string>
  inRequest: (trace: string | string[] | undefined, work: () => void) => void
} {
  const traces = new Map<string, string>()
  const current = new AsyncLocalStorage<string | undefined>()
  const spy: Pick<NonNullable<QueueStore['spy']>, 'addMessage'> = {
    addMessage(message) {
      const trace = current.getStore()
      if (message.status === 'published' && trace) traces.set(message.messageId, trace)
      else if (message.status === 'consumed') traces.delete(message.messageId)
    },
  }
  store.spy = spy as NonNullable<QueueStore['spy']>
  return { traces, inRequest: (trace, work) => current.run(trace?.toString(), work) }
}

type Entry = { Id: string }
type BatchAnswer = { Successful?: unknown[]; Failed?: unknown[] }

function addFaults(
  app: ReturnType<typeof buildApp>,
  store: QueueStore,
  intercept: NonNullable<SqsFaults['intercept']>,
): void {
  const changes = new WeakMap<object, (answer: object) => object>()
  app.addHook('preHandler', async (request, reply) => {
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
    const body = (request.body ?? {}) as { QueueUrl?: string; Entries?: Entry[] }
    const queue = body.QueueUrl ? store.getQueue(body.QueueUrl)?.name : undefined
    const fault = intercept({ action, queue, entries: body.Entries?.length ?? 0 })
    if (fault?.kind === 'error')
      return await reply
        .status(fault.status)
        .header('content-type', 'application/x-amz-json-1.0')
        .header('x-amzn-query-error', `${fault.code};${fault.status < 500 ? 'Sender' : 'Receiver'}`)
        .send({ __type: `com.amazonaws.sqs#${fault.code}`, message: `${fault.code} by a fault of the test` })
    if (fault?.kind === 'stale' && action === 'GetQueueAttributes') changes.set(request, withoutMessages)
    if (fault?.kind === 'refused' && body.Entries) {
      const refused = body.Entries.filter((_, index) => fault.entries.includes(index))
      const Failed = refused.map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' }))
      body.Entries = body.Entries.filter((entry) => !refused.includes(entry))
      if (body.Entries.length === 0) return await reply.send({ Successful: [], Failed })
      changes.set(request, (answer: BatchAnswer) => ({
        ...answer,
        Failed: [...(answer.Failed ?? []), ...Failed],
      }))
    }
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const change = changes.get(request)
    if (!change || reply.statusCode !== 200 || typeof payload !== 'string') return payload
    const changed = JSON.stringify(change(JSON.parse(payload) as object))
    void reply.header('content-length', Buffer.byteLength(changed))
    return changed
  })
}

function withoutMessages(answer: { Attributes?: Record<string, string> }): object {
  const Attributes = Object.entries(answer.Attributes ?? {}).map(([name, value]) => [
    name,
    name.startsWith('ApproximateNumber') ? '0' : value,
  ])
  return { ...answer, Attributes: Object.fromEntries(Attributes) }
}

/** Puts each message that is sent on its queue as often, and as late, as it is told. */
function holdBack(store: QueueStore, deliver: NonNullable<SqsFaults['deliver']>): void {
  const createQueue = store.createQueue.bind(store)
  store.createQueue = (...args) => {
    const queue = createQueue(...args)
    const enqueue = queue.enqueue.bind(queue)
    queue.enqueue = (message) => {
      // What moves to the DLQ has been received before.
      if (message.approximateReceiveCount > 0) return enqueue(message)
      for (const delayMs of deliver(queue.name))
        enqueue({
          ...message,
          ...(delayMs > 0 && { delayUntil: Math.max(message.delayUntil ?? 0, Date.now() + delayMs) }),
        })
    }
    return queue
  }
}
