import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { PROTOCOL } from '../../protocol/message.ts'
import { encodeOutcome, type Outcome } from '../../protocol/outcome.ts'
import { encodeTask, newCopyTask } from '../../protocol/task.ts'
import type { Budget } from '../../src/budget.ts'
import { LeaseLostError } from '../../src/checkpoint/saver.ts'
import { DeadLetters } from '../../src/dead-letters.ts'
import { Failures } from '../../src/failures.ts'
import { Ledger } from '../../src/ledger.ts'
import { UnlistedParts } from '../../src/unlisted.ts'
import { watch } from '../../src/watch.ts'
import { runOf } from './checkpoint/support.ts'

const MINUTE = 60_000
const URLS = { list: 'list', copy: 'copy', dlq: 'dlq', run: 'run' }

/** The queues as the action sees them, on a clock that moves when it waits. */
class FakeSqs {
  now = 0
  /** Messages by queue. */
  messages: Record<string, string[]> = { list: [], copy: [], dlq: [], run: [] }
  inFlight = 0
  /** Copy tasks that are held back. */
  delayed = 0
  /** Queues of the runs that are going on. */
  runQueues: string[] = [URLS.run]
  /** When messages were sent. */
  sentAt = 0
  /** Queues that were deleted. */
  readonly gone = new Set<string>()
  /** What the counts say of the DLQ; undefined means the truth. */
  dlqCount: number | undefined
  /** What every call fails with for now. */
  failure: Error | undefined
  /** Told of each call before it is answered, by its queue. */
  onSend: (queue: string) => void = () => {}
  /** Things that happen at a time. */
  readonly plan: { at: number; what: () => void }[] = []

  async send(
    command: { input: Record<string, unknown>; constructor: { name: string } },
    { abortSignal }: { abortSignal?: AbortSignal } = {},
  ): Promise<object> {
    const queue = String(command.input.QueueUrl)
    this.onSend(queue)
    // As the SDK says it.
    if (abortSignal?.aborted) throw Object.assign(new Error('Request aborted'), { name: 'AbortError' })
    if (this.failure) throw this.failure
    if (this.gone.has(queue)) throw Object.assign(new Error(), { name: 'QueueDoesNotExist' })
    const messages = this.messages[queue] ?? []
    switch (command.constructor.name) {
      case 'DeleteMessageBatchCommand': {
        const ids = (command.input.Entries as { Id: string }[]).map(({ Id }) => Id)
        if (ids.length === 0 || new Set(ids).size < ids.length)
          throw Object.assign(new Error(), { name: 'InvalidBatchRequest' })
        return {}
      }
      case 'ReceiveMessageCommand': {
        const { MaxNumberOfMessages, WaitTimeSeconds } = command.input
        if (Number(MaxNumberOfMessages) > 10 || Number(WaitTimeSeconds) > 20)
          throw Object.assign(new Error(), { name: 'InvalidParameterValue' })
        if (queue === URLS.run && messages.length === 0) this.pass(1000 * Number(WaitTimeSeconds ?? 0))
        const found = messages.splice(0, 10)
        // A look at the DLQ hides what it has seen for its own length only.
        if (queue === URLS.dlq) this.#hidden.push(...found)
        const Attributes = { SentTimestamp: String(this.sentAt) }
        return { Messages: found.map((Body) => ({ MessageId: Body, Body, ReceiptHandle: Body, Attributes })) }
      }
      case 'ChangeMessageVisibilityBatchCommand':
        messages.unshift(...this.#hidden.splice(0))
        return {}
      case 'GetQueueAttributesCommand': {
        const count = queue === URLS.dlq ? (this.dlqCount ?? messages.length) : messages.length
        return {
          Attributes: {
            ApproximateNumberOfMessages: String(count),
            ApproximateNumberOfMessagesDelayed: String(queue === URLS.copy ? this.delayed : 0),
            ApproximateNumberOfMessagesNotVisible: String(queue === URLS.copy ? this.inFlight : 0),
          },
        }
      }
      case 'ListQueuesCommand':
        return { QueueUrls: this.runQueues }
      default:
        return {}
    }
  }

  pass(ms: number): void {
    this.now += ms
    for (const event of this.plan.splice(0)) {
      if (event.at <= this.now) event.what()
      else this.plan.push(event)
    }
  }

  readonly #hidden: string[] = []
}

let folder: string
let sqs: FakeSqs
let ledger: Ledger
let deadLetters: DeadLetters
let warnings: string[]
let quiet: number
/** What looking after the functions fails with. */
let quietFailure: Error | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'watch-'))
  sqs = new FakeSqs()
  ledger = new Ledger(1)
  warnings = []
  quiet = 0
  quietFailure = undefined
})
afterEach(() => rm(folder, { recursive: true }))

async function watchRun({
  deadline = 60 * MINUTE,
  wait = true,
  signal = new AbortController().signal,
  budget = undefined as Budget | undefined,
  took = () => {},
  pollMs = 10_000,
} = {}) {
  const failures = new Failures(join(folder, 'report'))
  const unlisted = new UnlistedParts()
  deadLetters = new DeadLetters('r', ledger, failures, unlisted)
  const result = await watch(
    {
      // The paginator of ListQueues asks whether it is given a client.
      sqs: Object.assign(Object.create(SQSClient.prototype), { send: sqs.send.bind(sqs) }) as SQSClient,
      stack: {
        listQueueUrl: URLS.list,
        copyQueueUrl: URLS.copy,
        deadLetterQueueUrl: URLS.dlq,
        runQueuePrefix: '',
      } as never,
      runQueueUrl: URLS.run,
      ledger,
      failures,
      deadLetters,
      unlisted,
      took: (delivery) => {
        took()
        return delivery.remove()
      },
    },
    {
      pollMs,
      wait,
      deadline,
      budget,
      signal,
      timing: { now: () => sqs.now, sleep: async (ms) => sqs.pass(ms), random: () => 0 },
      onPoll: () => {},
      onWarning: (message) => warnings.push(message),
      onQuiet: async () => {
        quiet++
        if (quietFailure) throw quietFailure
      },
    },
  )
  await failures.finish(() => true)
  return result
}

function outcome(task: string, more: Partial<Outcome> = {}): string {
  return encodeOutcome({
    v: PROTOCOL,
    kind: 'copy',
    task,
    attempt: `of-${task.replace('.', '-')}`,
    children: 0,
    listed: 0,
    copied: 1,
    skipped: 0,
    vanished: 0,
    reclassed: 0,
    bytes: 0,
    failures: [],
    ...more,
  })
}

test('ends when every task is settled, however often and in whatever order outcomes come', async () => {
  const parent = outcome('seed.0', { attempt: 'a', children: 2, listed: 2, copied: 0 })
  sqs.messages.run = [outcome('a.1'), outcome('a.1'), parent, outcome('a.0'), parent, outcome('b.0')]
  expect((await watchRun()).ending).toBe('settled')
  expect(ledger.totals).toMatchObject({ listed: 2, copied: 2 })
})

test('SQS is not asked to wait for longer than it can, however seldom the queues are polled', async () => {
  sqs.plan.push({ at: MINUTE, what: () => sqs.messages.run?.push(outcome('seed.0')) })
  expect((await watchRun({ pollMs: 5 * MINUTE })).ending).toBe('settled')
})

test('a run whose queues stay empty is stalled after five minutes', async () => {
  const { ending, endedAt } = await watchRun()
  expect(ending).toBe('stalled')
  expect(endedAt).toBeGreaterThanOrEqual(5 * MINUTE)
  expect(endedAt).toBeLessThan(6 * MINUTE)
  expect(quiet).toBeGreaterThan(0)
})

test('a message in flight is not a stall: its worker may be at it, or its visibility bring it back', async () => {
  sqs.inFlight = 1
  sqs.plan.push({ at: 9 * MINUTE, what: () => sqs.messages.run?.push(outcome('seed.0')) })
  expect((await watchRun()).ending).toBe('settled')
})

test('an outcome puts the stall off', async () => {
  sqs.plan.push(
    {
      at: 4 * MINUTE,
      what: () => sqs.messages.run?.push(outcome('seed.0', { attempt: 'a', children: 1 })),
    },
    { at: 8 * MINUTE, what: () => sqs.messages.run?.push(outcome('a.0')) },
  )
  expect((await watchRun()).ending).toBe('settled')
})

test('counts that read zero for too long don’t hide a dead letter: it is looked for before a run is given up', async () => {
  sqs.messages.dlq = [encodeTask(newCopyTask('seed.0', runOf('r'), [{ key: 'k', size: 1 }]))]
  sqs.dlqCount = 0
  expect((await watchRun()).ending).toBe('settled')
  expect(ledger.totals).toMatchObject({ deadTasks: 1, deadObjects: 1 })
})

test('a dead letter that is found so puts the stall off', async () => {
  ledger = new Ledger(2)
  sqs.messages.dlq = [encodeTask(newCopyTask('seed.0', runOf('r'), [{ key: 'k', size: 1 }]))]
  sqs.dlqCount = 0
  sqs.plan.push({ at: 8 * MINUTE, what: () => sqs.messages.run?.push(outcome('seed.1')) })
  expect((await watchRun()).ending).toBe('settled')
})

describe('what is in flight when all is settled', () => {
  beforeEach(() => {
    sqs.messages.run = [outcome('seed.0')]
    sqs.inFlight = 1
  })

  test('is waited for: a worker may be at a task that came twice', async () => {
    sqs.plan.push({
      at: 30_000,
      what: () => {
        sqs.inFlight = 0
      },
    })
    expect((await watchRun()).ending).toBe('settled')
    expect(sqs.now).toBeGreaterThanOrEqual(30_000)
    expect(sqs.now).toBeLessThan(40_000)
    expect(warnings).toEqual([])
  })

  test('is not waited for while another run is going on, whose it may be', async () => {
    sqs.runQueues.push('https://sqs/another')
    expect((await watchRun()).ending).toBe('settled')
    expect(sqs.now).toBeLessThan(10_000)
    expect(warnings).toEqual([])
  })

  test('is not told of when another run has begun meanwhile', async () => {
    sqs.plan.push({ at: 20_000, what: () => void sqs.runQueues.push('https://sqs/another') })
    await watchRun()
    expect(warnings).toEqual([])
  })

  test('is told of after a minute', async () => {
    const { ending, endedAt } = await watchRun()
    expect(ending).toBe('settled')
    expect(endedAt).toBeLessThan(10_000)
    expect(sqs.now).toBeGreaterThanOrEqual(60_000)
    expect(sqs.now).toBeLessThan(70_000)
    expect(warnings).toEqual([
      expect.stringMatching(/^The queues still hold 1 message, although every task was settled/),
    ])
  })
})

describe('a DLQ full of earlier runs’ messages', () => {
  beforeEach(() => {
    sqs.messages.dlq = Array.from({ length: 10_000 }, (_, index) => `of an earlier run, ${index}`)
    // Each call takes a while.
    sqs.onSend = (queue) => void (queue === URLS.dlq && sqs.pass(50))
  })

  test.each([
    ['often', 1_000, 1_000],
    ['seldom', 3, 90_000],
  ])('keeps neither outcomes waiting that come %s nor the lease', async (_, count, apartMs) => {
    ledger = new Ledger(count)
    for (let index = 0; index < count; index++)
      sqs.plan.push({ at: index * apartMs, what: () => sqs.messages.run?.push(outcome(`seed.${index}`)) })
    let longest = 0
    let last = 0
    const took = () => {
      longest = Math.max(longest, sqs.now - last)
      last = sqs.now
    }
    expect((await watchRun({ took })).ending).toBe('settled')
    expect(longest).toBeLessThan(MINUTE)
  })

  test('does not keep a step that does not wait, nor one that is cancelled', async () => {
    sqs.messages.copy = ['of this run']
    expect((await watchRun({ wait: false })).ending).toBe('left')
    expect(sqs.now).toBeLessThan(MINUTE)
    const cancel = new AbortController()
    const begun = sqs.now
    sqs.plan.push({ at: begun + 20_000, what: () => cancel.abort() })
    expect((await watchRun({ signal: cancel.signal })).ending).toBe('cancelled')
    expect(sqs.now).toBeLessThan(begun + 25_000)
  })

  test('does not hide a message of this run, also while another run keeps the queues busy', async () => {
    sqs.inFlight = 1
    sqs.messages.dlq?.push(encodeTask(newCopyTask('seed.0', runOf('r'), [{ key: 'k', size: 1 }])))
    sqs.runQueues.push('https://sqs/another')
    expect((await watchRun()).ending).toBe('settled')
    expect(ledger.totals).toMatchObject({ deadTasks: 1 })
    expect(sqs.now).toBeLessThan(10 * MINUTE)
  })
})

test('a queue that never drains ends with the time', async () => {
  sqs.messages.copy = ['of another run']
  sqs.inFlight = 1
  expect((await watchRun()).ending).toBe('timed-out')
})

test('tasks that no function takes, for longer than one may be held back, end the run', async () => {
  sqs.messages.copy = ['of this run']
  const { ending, endedAt } = await watchRun()
  expect(ending).toBe('unfed')
  expect(endedAt).toBeGreaterThan(15 * MINUTE)
  expect(endedAt).toBeLessThanOrEqual(31 * MINUTE)
})

test('tasks that are held back are waited for', async () => {
  sqs.delayed = 1
  sqs.plan.push({
    at: 15 * MINUTE,
    what: () => {
      sqs.delayed = 0
      sqs.messages.run?.push(outcome('seed.0'))
    },
  })
  expect((await watchRun()).ending).toBe('settled')
})

test('who is not to wait takes in all that is there, and leaves', async () => {
  const children = Array.from({ length: 200 }, (_, index) => outcome(`a.${index}`))
  sqs.messages.run = [outcome('seed.0', { attempt: 'a', children: 201 }), ...children]
  sqs.messages.copy = ['the last one']
  expect((await watchRun({ wait: false })).ending).toBe('left')
  expect(ledger.totals.copied).toBe(201)
  expect(sqs.now).toBeLessThan(10_000)
})

test('who is not to wait stays all the same until the run gives a sign of life, or is found to have stalled', async () => {
  sqs.plan.push({ at: 2 * MINUTE, what: () => sqs.messages.copy?.push('a task') })
  expect((await watchRun({ wait: false })).ending).toBe('left')
  expect(sqs.now).toBeGreaterThanOrEqual(2 * MINUTE)
  sqs.messages.copy = []
  expect((await watchRun({ wait: false })).ending).toBe('stalled')
})

test('who is not to wait sees the end when it is there', async () => {
  sqs.messages.run = [outcome('seed.0')]
  expect((await watchRun({ wait: false })).ending).toBe('settled')
})

test('a run ended when its last outcome was sent, however much later that was received', async () => {
  sqs.now = 60 * MINUTE
  sqs.sentAt = 20 * MINUTE
  sqs.messages.run = [outcome('seed.0')]
  expect((await watchRun({ deadline: 90 * MINUTE })).endedAt).toBe(20 * MINUTE)
})

test('who is not to wait leaves when outcomes came, though the queues read empty for now', async () => {
  sqs.messages.run = [outcome('seed.0', { attempt: 'a', children: 2 })]
  expect((await watchRun({ wait: false })).ending).toBe('left')
  expect(sqs.now).toBeLessThan(10_000)
})

test('what the DLQ holds of the run is known at its end, though all is settled without it', async () => {
  sqs.messages.run = [outcome('seed.0')]
  sqs.messages.dlq = ['{"run":{"id":"r"}}']
  expect((await watchRun()).ending).toBe('settled')
  expect(deadLetters.messages).toBe(1)
})

test('a run that somebody else has taken over is not watched any further', async () => {
  sqs.messages.run = [outcome('seed.0')]
  const took = () => {
    throw new LeaseLostError()
  }
  expect((await watchRun({ took })).ending).toBe('superseded')
})

test('a run whose stack is deleted while it is watched was stopped', async () => {
  quietFailure = Object.assign(new Error(), { name: 'ResourceNotFoundException' })
  expect((await watchRun()).ending).toBe('stopped')
})

test('a run whose queue is deleted while it is watched was stopped', async () => {
  sqs.plan.push({ at: 2 * MINUTE, what: () => sqs.gone.add(URLS.run) })
  expect((await watchRun()).ending).toBe('stopped')
})

test('messages that are no outcomes are told of a few times, not for each, and stall nothing that is settled', async () => {
  const strange = Array.from({ length: 300 }, (_, index) => `{"v":${index + 2}}`)
  const deep = `{"v":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  sqs.messages.run = [...strange, deep, '\n::error::x', '{"v":1,"task":"::error::"}', outcome('seed.0')]
  expect((await watchRun()).ending).toBe('settled')
  expect(warnings.length).toBeGreaterThan(0)
  expect(warnings.length).toBeLessThanOrEqual(5)
  expect(warnings.join()).toContain('version 2')
})

test('ends when more has failed than may, without waiting for the poll', async () => {
  const failures = [{ key: 'k', code: 'AccessDenied', message: 'no' }]
  sqs.messages.run = [
    outcome('seed.0', { attempt: 'a', children: 9, copied: 0 }),
    ...[0, 1, 2, 3].map((index) => outcome(`a.${index}`, { copied: 0, failures })),
  ]
  expect(await watchRun({ budget: { objects: 3 } })).toEqual({ ending: 'over-budget', endedAt: 0 })
  expect(ledger.totals.failed).toBe(4)
})

const UNAVAILABLE = Object.assign(new Error('no'), {
  name: 'ServiceUnavailable',
  $metadata: { httpStatusCode: 503 },
})
const fail = (at: number, failure: Error | undefined) =>
  sqs.plan.push({ at, what: () => (sqs.failure = failure) })

test('outlasts an outage with one warning, and does not take its length for a stall', async () => {
  sqs.failure = UNAVAILABLE
  fail(20 * MINUTE, undefined)
  sqs.plan.push({ at: 24 * MINUTE, what: () => sqs.messages.run?.push(outcome('seed.0')) })
  expect((await watchRun()).ending).toBe('settled')
  expect(warnings).toEqual([expect.stringContaining('ServiceUnavailable')])
})

test('does not take the length of an outage for a time in which no function took what waits', async () => {
  sqs.failure = UNAVAILABLE
  sqs.messages.copy = ['of this run']
  fail(40 * MINUTE, undefined)
  sqs.plan.push({ at: 45 * MINUTE, what: () => sqs.messages.run?.push(outcome('seed.0')) })
  expect((await watchRun()).ending).toBe('settled')
})

test('an outage that lasts ends with the time', async () => {
  sqs.failure = UNAVAILABLE
  const { ending, endedAt } = await watchRun({ deadline: 30 * MINUTE })
  expect(ending).toBe('timed-out')
  expect(endedAt).toBeGreaterThanOrEqual(30 * MINUTE)
  expect(endedAt).toBeLessThanOrEqual(30.1 * MINUTE)
})

test('what waiting does not cure is thrown at once, in an outage too', async () => {
  sqs.failure = UNAVAILABLE
  fail(MINUTE, Object.assign(new Error(), { name: 'ExpiredToken', $metadata: { httpStatusCode: 403 } }))
  await expect(watchRun()).rejects.toMatchObject({ name: 'ExpiredToken' })
  expect(sqs.now).toBeLessThan(2 * MINUTE)
})

test('functions that can’t be looked after for now are no reason to stop watching; a missing permission is', async () => {
  quietFailure = UNAVAILABLE
  sqs.plan.push({ at: 4 * MINUTE, what: () => sqs.messages.run?.push(outcome('seed.0')) })
  expect((await watchRun()).ending).toBe('settled')
  expect(warnings).toEqual([expect.stringContaining('ServiceUnavailable')])
  ledger = new Ledger(1)
  quietFailure = Object.assign(new Error(), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })
  await expect(watchRun()).rejects.toBe(quietFailure)
})

test('a job that is cancelled in an outage does not wait for its end', async () => {
  const cancel = new AbortController()
  sqs.failure = UNAVAILABLE
  sqs.plan.push({ at: 10 * MINUTE, what: () => cancel.abort() })
  const { ending, endedAt } = await watchRun({ signal: cancel.signal })
  expect(ending).toBe('cancelled')
  expect(endedAt).toBeLessThanOrEqual(10 * MINUTE + 1_000)
})

test('a job that is cancelled while the DLQ is looked through is cancelled all the same', async () => {
  const cancel = new AbortController()
  sqs.messages.dlq = ['of another run']
  sqs.onSend = (queue) => {
    if (queue === URLS.dlq && sqs.now > 0) cancel.abort()
  }
  expect((await watchRun({ signal: cancel.signal })).ending).toBe('cancelled')
})

test('a job that is cancelled when all is settled has seen the end of its run', async () => {
  const cancel = new AbortController()
  sqs.messages.run = [outcome('seed.0')]
  sqs.onSend = (queue) => {
    if (queue === URLS.dlq && ledger.done) cancel.abort()
  }
  expect((await watchRun({ signal: cancel.signal })).ending).toBe('settled')
})

test('a run of which all is counted needs nothing more of SQS', async () => {
  ledger.settle({ task: 'seed.0', totals: {} })
  sqs.failure = UNAVAILABLE
  expect(await watchRun()).toEqual({ ending: 'settled', endedAt: 0 })
})

test('who is not to wait does not wait for the end of an outage either', async () => {
  sqs.failure = UNAVAILABLE
  await expect(watchRun({ wait: false })).rejects.toBe(UNAVAILABLE)
  expect(sqs.now).toBe(0)
})
