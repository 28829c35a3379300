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

/** How long the name of a deleted queue stays taken (SQS API reference, DeleteQueue). */
const DELETED_RECENTLY_MS = 60_000

/**
 * SQS by fauxqs, in this process and without a port of its own.
 *
 * Three things are put right here: queue URLs name the endpoint that was asked, since `sqs.REGION.localhost` need not
 * resolve; the name of a deleted queue stays taken for 60 s; and counts are read after hidden messages whose time is
 * up have become visible again, which fauxqs does on a receive only.
 */
export async function createSqs(region: string): Promise<Sqs> {
  const store = await createStore()
  store.host = ''
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
