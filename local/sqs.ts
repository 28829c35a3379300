import type { IncomingMessage, ServerResponse } from 'node:http'
import { buildApp } from 'fauxqs'
import type { Handler } from './http.ts'

type Stores = NonNullable<NonNullable<Parameters<typeof buildApp>[0]>['stores']>
/** The queues in memory, which the event source mappings and CloudFormation use without HTTP. */
export type QueueStore = Stores['sqsStore']
export type Queue = NonNullable<ReturnType<QueueStore['getQueueByArn']>>

export type Sqs = { handle: Handler; store: QueueStore; stop: () => Promise<void> }

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
  await app.ready()
  return {
    handle: (request: IncomingMessage, response: ServerResponse) => app.routing(request, response),
    store,
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
