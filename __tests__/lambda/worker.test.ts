import type { SQSClient } from '@aws-sdk/client-sqs'
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Context, SQSRecord } from 'aws-lambda'
import { RunGate } from '../../lambda/run-gate.ts'
import { type Attempt, handleEvent, type Result } from '../../lambda/worker.ts'
import { decodeOutcome } from '../../protocol/outcome.ts'
import type { Run } from '../../protocol/run.ts'
import { type CopyTask, decodeTask, encodeTask, newCopyTask, newListTask } from '../../protocol/task.ts'

const RUN_QUEUE = 'https://sqs/1/stack-run-1'
const COPY_QUEUE = 'https://sqs/1/copy'
const run: Run = {
  id: 'run-1',
  queue: RUN_QUEUE,
  source: { bucket: 'from', prefix: '' },
  destination: { bucket: 'to', prefix: '' },
  batchSize: 10,
}
const task = encodeTask(newCopyTask('seed.0', run, [{ key: 'k', size: 1 }]))
const NOTHING: Result = {
  listed: 0,
  copied: 0,
  skipped: 0,
  vanished: 0,
  reclassed: 0,
  bytes: 0,
  failures: [],
}

type Input = {
  QueueUrl: string
  MessageBody?: string
  Entries?: { MessageBody: string; MessageGroupId?: string; DelaySeconds?: number }[]
  VisibilityTimeout?: number
}

/** A few queues in memory, as far as a worker sees them. */
class FakeSqs {
  readonly queues = new Map<string, string[]>([
    [RUN_QUEUE, []],
    [COPY_QUEUE, []],
  ])
  /** The message groups of what was sent in batches, in turn. */
  readonly groups: (string | undefined)[] = []
  /** For how long these are held back, in turn. */
  readonly delays: (number | undefined)[] = []
  /** For how long the worker's own message was hidden, in turn. */
  readonly hidden: number[] = []
  /** An error for calls with this name. */
  failing = new Map<string, Error>()

  async send(command: { input: Input; constructor: { name: string } }): Promise<object> {
    const { QueueUrl, MessageBody, Entries, VisibilityTimeout } = command.input
    // It takes a while, and what nobody waits for may not happen at all.
    await new Promise(setImmediate)
    const failure = this.failing.get(command.constructor.name)
    if (failure) throw failure
    const queue = this.queues.get(QueueUrl)
    if (!queue) throw Object.assign(new Error('no such queue'), { name: 'QueueDoesNotExist' })
    if (VisibilityTimeout !== undefined) this.hidden.push(VisibilityTimeout)
    if (MessageBody !== undefined) queue.push(MessageBody)
    for (const entry of Entries ?? []) {
      queue.push(entry.MessageBody)
      this.groups.push(entry.MessageGroupId)
      this.delays.push(entry.DelaySeconds)
    }
    return {}
  }

  get outcomes() {
    return (this.queues.get(RUN_QUEUE) ?? []).map(decodeOutcome)
  }
}

let sqs: FakeSqs
let logged: string[]
/** Wakes whoever sleeps. */
let wakers: (() => void)[]
beforeEach(() => {
  sqs = new FakeSqs()
  logged = []
  wakers = []
})

async function handle(
  body: string,
  work: (task: CopyTask, attempt: Attempt) => Promise<Result> = async () => NOTHING,
  receives = 1,
  gate = new RunGate(sqs as unknown as SQSClient, () => 0),
  leftMs = 60_000,
) {
  const record = {
    messageId: 'm1',
    receiptHandle: 'r1',
    body,
    attributes: { ApproximateReceiveCount: String(receives) },
  } as SQSRecord
  const log = (...words: unknown[]): void => {
    logged.push(String(words[0]))
  }
  return await handleEvent(
    { Records: [record] },
    { getRemainingTimeInMillis: () => leftMs } as Context,
    'copy',
    work,
    {
      sqs: sqs as unknown as SQSClient,
      queueUrl: COPY_QUEUE,
      gate,
      logger: { info: log, warn: log, error: log },
      timing: { now: () => 0, sleep: () => new Promise((wake) => wakers.push(wake)), random: () => 0 },
    },
  )
}

const REPEAT = { batchItemFailures: [{ itemIdentifier: 'm1' }] }
const DONE = { batchItemFailures: [] }

describe('a task', () => {
  test('is reported with the children that were sent, once they were sent', async () => {
    const answer = await handle(task, async ({ objects }, { spawn }) => {
      await spawn(COPY_QUEUE, (id) => newCopyTask(id, run, objects))
      await spawn(COPY_QUEUE, (id) => newCopyTask(id, run, objects))
      return { ...NOTHING, copied: 1 }
    })
    expect(answer).toEqual(DONE)
    const [outcome] = sqs.outcomes
    expect(outcome).toMatchObject({ task: 'seed.0', copied: 1, children: 2 })
    const children = sqs.queues.get(COPY_QUEUE)?.map((body) => decodeTask(body).id)
    expect(children).toEqual([`${outcome?.attempt}.0`, `${outcome?.attempt}.1`])
  })

  test('spawns children into the message group of its run, so that SQS can share workers out among runs', async () => {
    await handle(task, async ({ objects }, { spawn }) => {
      await spawn(COPY_QUEUE, (id) => newCopyTask(id, run, objects))
      return NOTHING
    })
    expect(sqs.groups).toEqual([run.id])
  })

  test('spawns children that are held back for as long as it says', async () => {
    await handle(task, async ({ objects }, { spawn }) => {
      await spawn(COPY_QUEUE, (id) => newCopyTask(id, run, objects), 7)
      await spawn(COPY_QUEUE, (id) => newCopyTask(id, run, objects))
      return NOTHING
    })
    expect(sqs.delays).toEqual([7, undefined])
  })

  test('that is done is not hidden any further', async () => {
    expect(await handle(task)).toEqual(DONE)
    for (const wake of wakers) wake()
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(sqs.hidden).toEqual([30])
  })

  test('that finds its run over when it reports tells the next one, however fresh the last answer is', async () => {
    const gate = new RunGate(sqs as unknown as SQSClient, () => 0)
    const stopTheRun = async () => {
      sqs.queues.delete(RUN_QUEUE)
      return NOTHING
    }
    expect(await handle(task, stopTheRun, 1, gate)).toEqual(DONE)
    let worked = false
    const work = async () => {
      worked = true
      return NOTHING
    }
    expect(await handle(task, work, 2, gate)).toEqual(DONE)
    expect(worked).toBe(false)
  })

  test('of a run that is over is dropped: without work, without an outcome, for good', async () => {
    sqs.queues.delete(RUN_QUEUE)
    let worked = false
    const answer = await handle(
      task,
      async () => {
        worked = true
        return NOTHING
      },
      2,
    )
    expect(answer).toEqual(DONE)
    expect(worked).toBe(false)
    expect(logged.join()).toContain('dropped a task of a run that is over')
  })

  test('is asked for again at first, for a new queue may not be known everywhere', async () => {
    sqs.queues.delete(RUN_QUEUE)
    expect(await handle(task)).toEqual(REPEAT)
    expect(sqs.hidden).toEqual([5])
  })

  test('whose run ends while it is worked on is finished with', async () => {
    const answer = await handle(task, async () => {
      sqs.queues.delete(RUN_QUEUE)
      return NOTHING
    })
    expect(answer).toEqual(DONE)
  })

  test.each([
    [1, 2],
    [3, 8],
    [5, 30],
  ])('that fails at receive %i is tried again after %i s at least', async (receives, seconds) => {
    const answer = await handle(
      task,
      async () => {
        throw new Error('no memory of this')
      },
      receives,
    )
    expect(answer).toEqual(REPEAT)
    expect(sqs.hidden).toEqual([30, seconds])
    expect(sqs.outcomes).toEqual([])
  })

  test('whose outcome can’t be sent is tried again', async () => {
    sqs.failing.set('SendMessageCommand', new Error('throttled'))
    expect(await handle(task)).toEqual(REPEAT)
  })

  test('whose children can’t be sent reports nothing, so that nobody waits for them', async () => {
    sqs.failing.set('SendMessageBatchCommand', new Error('throttled'))
    const answer = await handle(task, async (_, { spawn }) => {
      await spawn(COPY_QUEUE, (id) => newCopyTask(id, run, []))
      return NOTHING
    })
    expect(answer).toEqual(REPEAT)
    expect(sqs.outcomes).toEqual([])
  })

  test('is worked on though its lease is refused', async () => {
    sqs.failing.set('ChangeMessageVisibilityCommand', new Error('throttled'))
    expect(await handle(task)).toEqual(DONE)
    expect(sqs.outcomes).toHaveLength(1)
  })

  test('that can’t be told whether its run is over is kept', async () => {
    sqs.failing.set('GetQueueAttributesCommand', new Error('throttled'))
    expect(await handle(task, undefined, 3)).toEqual(REPEAT)
  })
})

describe('the time of the function', () => {
  const attemptWith = async (leftMs: number, use: (attempt: Attempt) => Promise<void> | void) => {
    const work = async (_: CopyTask, attempt: Attempt) => {
      await use(attempt)
      return NOTHING
    }
    expect(await handle(task, work, 1, undefined, leftMs)).toEqual(DONE)
  }

  test('ends for the work ten seconds early, so that what it comes to can be sent', async () => {
    const deadlines: number[] = []
    await attemptWith(60_000, ({ deadline }) => void deadlines.push(deadline))
    expect(deadlines).toEqual([50_000])
  })

  test('ends for what is under way after the deadline, six seconds before the end', async () => {
    const begunAt = performance.now()
    await attemptWith(6_500, async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    const ms = performance.now() - begunAt
    expect(ms).toBeGreaterThan(400)
    expect(ms).toBeLessThan(6_000)
  })
})

test('a function that has hardly any time left does what it can', async () => {
  let isAborted: boolean | undefined
  const work = async (_: CopyTask, { signal }: Attempt) => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    isAborted = signal.aborted
    return NOTHING
  }
  expect(await handle(task, work, 1, undefined, 5_999.5)).toEqual(DONE)
  expect(isAborted).toBe(true)
})

describe('a message that is no copy task of this version is refused and goes to the DLQ at once', () => {
  test.each([
    ['no JSON', 'hello', 'the body is not JSON'],
    ['no version', '{"id":"seed.0"}', 'has no version'],
    ['a later version', task.replace('"v":1', '"v":2'), 'is of version 2'],
    ['a version that is no number', '{"v":{"__proto__":1}}', 'protocol version 1'],
    ['a nested version', `{"v":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'protocol version 1'],
    ['a list task', encodeTask(newListTask('seed.0', run, { prefix: '', ranges: [{}] })), 'a list task'],
    ['a key that is no encoding', task.replace('"begin":"k"', '"begin":"%ff"'), 'not a percent-encoded key'],
    ['a long text where a number belongs', task.replace('1]', `"${'x'.repeat(100_000)}"]`), 'objects'],
  ])('%s', async (_, body, reason) => {
    expect(await handle(body)).toEqual(REPEAT)
    expect(sqs.hidden).toEqual([0])
    expect(sqs.outcomes).toEqual([])
    expect(logged.join()).toContain(reason)
    expect(logged.join().length).toBeLessThan(500)
  })
})
