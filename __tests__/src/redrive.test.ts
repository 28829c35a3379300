import { SQSClient } from '@aws-sdk/client-sqs'
import { describe, expect, test } from '@jest/globals'
import type { Run } from '../../protocol/run.ts'
import { decodeTask, encodeTask, newCopyTask } from '../../protocol/task.ts'
import { look, MOST } from '../../src/dlq.ts'
import { forget, redrive } from '../../src/redrive.ts'

const run: Run = {
  id: 'new',
  queue: 'https://sqs/run',
  source: { bucket: 'from', prefix: '' },
  destination: { bucket: 'to', prefix: '' },
  batchSize: 10,
}
const STACK = {
  listQueueUrl: 'list',
  copyQueueUrl: 'copy',
  deadLetterQueueUrl: 'dlq',
  runQueuePrefix: 's-run-',
}

/** A task of an earlier run, which may have redriven another. */
const dead = (id = 'seed.0', runId = 'old', origin?: string) =>
  encodeTask(newCopyTask(id, { ...run, id: runId, ...(origin && { origin }) }, [{ key: 'k', size: 1 }]))

/** A message of the DLQ, and until when it is hidden. */
type Letter = { body: string; hiddenUntil: number }

const letters = (...bodies: string[]): Letter[] => bodies.map((body) => ({ body, hiddenUntil: 0 }))
const times = (count: number, body: string) => Array.from({ length: count }, () => body)

/** A DLQ that shows its oldest messages first, on a clock that moves when it answers or is waited for. */
class FakeSqs {
  now = 0
  /** Names of the queues of runs. */
  readonly runQueues: string[] = []
  readonly abort = new AbortController()
  /** Bodies sent to other queues. */
  readonly sent: string[] = []
  readonly #latencyMs: number
  readonly #letters: Letter[]
  #shown: number[] = []
  #hidden: number[]
  /** When the first of the hidden are to be shown. */
  #backAt = 0

  constructor(all: Letter[], latencyMs = 0) {
    this.#letters = all
    this.#latencyMs = latencyMs
    this.#hidden = [...all.keys()]
  }

  async send(
    { input, constructor: { name } }: { input: object; constructor: { name: string } },
    { abortSignal }: { abortSignal?: AbortSignal } = {},
  ): Promise<object> {
    // As the SDK says it.
    if (abortSignal?.aborted) throw Object.assign(new Error('Request aborted'), { name: 'AbortError' })
    this.now += this.#latencyMs
    const { Entries = [] } = input as { Entries?: { MessageBody: string; ReceiptHandle: string }[] }
    switch (name) {
      case 'SendMessageBatchCommand':
        this.sent.push(...Entries.map(({ MessageBody }) => MessageBody))
        return {}
      case 'ReceiveMessageCommand':
        return this.#receive(input as { VisibilityTimeout: number; WaitTimeSeconds: number })
      case 'ChangeMessageVisibilityBatchCommand':
        for (const { ReceiptHandle } of Entries) this.#letter(Number(ReceiptHandle)).hiddenUntil = this.now
        this.#backAt = this.now
        return {}
      case 'DeleteMessageBatchCommand':
        this.#hidden = this.#hidden.filter(
          (place) => !Entries.some((entry) => entry.ReceiptHandle === `${place}`),
        )
        return {}
      case 'ListQueuesCommand':
        return { QueueUrls: this.runQueues.map((queue) => `https://sqs/1/${queue}`) }
      case 'GetQueueAttributesCommand':
        this.#showAgain()
        return {
          Attributes: {
            ApproximateNumberOfMessages: String(this.#shown.length),
            ApproximateNumberOfMessagesDelayed: '0',
            ApproximateNumberOfMessagesNotVisible: String(this.#hidden.length),
          },
        }
      default:
        return {}
    }
  }

  #receive({ VisibilityTimeout, WaitTimeSeconds }: { VisibilityTimeout: number; WaitTimeSeconds: number }) {
    this.#showAgain()
    const found = this.#shown.splice(0, 10)
    if (found.length === 0) this.now += WaitTimeSeconds * 1000
    const until = this.now + VisibilityTimeout * 1000
    for (const place of found) this.#letter(place).hiddenUntil = until
    this.#hidden.push(...found)
    this.#backAt = Math.min(this.#backAt, until)
    const Messages = found.map((place) => {
      const { body } = this.#letter(place)
      return { MessageId: `${place}`, Body: body, ReceiptHandle: `${place}` }
    })
    return { Messages }
  }

  #showAgain(): void {
    if (this.now < this.#backAt) return
    const isHidden = (place: number) => this.#letter(place).hiddenUntil > this.now
    this.#shown = [...this.#hidden.filter((place) => !isHidden(place)), ...this.#shown]
    this.#hidden = this.#hidden.filter(isHidden)
    const until = (place: number) => this.#letter(place).hiddenUntil
    this.#backAt = this.#hidden.reduce(
      (least, place) => Math.min(least, until(place)),
      Number.POSITIVE_INFINITY,
    )
  }

  #letter(place: number): Letter {
    return this.#letters[place] as Letter
  }
}

function redriveFrom(fake: FakeSqs) {
  // The paginator of ListQueues asks whether it is given a client.
  const sqs = Object.assign(Object.create(SQSClient.prototype), { send: fake.send.bind(fake) }) as SQSClient
  return { sqs, stack: STACK as never, signal: fake.abort.signal }
}

function timingOf(fake: FakeSqs, onPause = () => {}) {
  return {
    now: () => fake.now,
    sleep: async (ms: number) => {
      fake.now += ms
      onPause()
    },
    random: () => 0.5,
  }
}

/** Redrives what this DLQ holds. */
function play(fake: FakeSqs, onPause = () => {}) {
  const log = { info: () => {}, warning: () => {} }
  return redrive(redriveFrom(fake), run, { timing: timingOf(fake, onPause), log })
}

test('finds a task of an earlier run behind thousands of messages that are none', async () => {
  const sqs = new FakeSqs(letters(...times(12_344, 'not readable'), dead()))
  const { origins, objects, more, unreadable } = await play(sqs)
  expect([[...origins], objects, more, unreadable]).toEqual([['old/seed.0'], 1, false, 12_344])
  expect(sqs.sent).toHaveLength(1)
  expect(sqs.now).toBeLessThan(5_000)
})

test('stops at its bound, and says that there may be more', async () => {
  const sqs = new FakeSqs(letters(...times(MOST, 'not readable'), dead()))
  const { origins, more } = await play(sqs)
  expect([origins.size, more]).toEqual([0, true])
  expect(sqs.sent).toEqual([])
})

test.each([5, 60, 119])('waits for a task that another look hides for %i more seconds', async (seconds) => {
  const sqs = new FakeSqs([
    ...letters('not readable', dead('a')),
    { body: dead('b'), hiddenUntil: seconds * 1000 },
  ])
  const { origins, more, unreadable } = await play(sqs)
  expect([[...origins], more, unreadable]).toEqual([['old/a', 'old/b'], false, 1])
  expect(sqs.sent).toHaveLength(2)
})

test('says after two minutes that there may be more than others let it see', async () => {
  const sqs = new FakeSqs([...letters(dead('a')), { body: dead('b'), hiddenUntil: Number.POSITIVE_INFINITY }])
  const { origins, more } = await play(sqs)
  expect([[...origins], more]).toEqual([['old/a'], true])
  expect(sqs.now).toBeGreaterThan(120_000)
  expect(sqs.now).toBeLessThan(150_000)
})

test('says that there may be more when it met its first messages again before it was through', async () => {
  const sqs = new FakeSqs(letters(...times(30_000, 'not readable'), dead()), 50)
  const { more, unreadable } = await play(sqs)
  expect(more).toBe(true)
  expect(unreadable).toBeLessThan(30_000)
})

test('leaves the tasks of other places alone, and counts them by these', async () => {
  const other = (bucket: string) => dead('a', bucket).replace('"from"', `"${bucket}"`)
  const { origins, elsewhere } = await play(
    new FakeSqs(letters(other('x'), dead('c'), other('y'), other('x'))),
  )
  expect([...origins]).toEqual(['old/c'])
  expect([...elsewhere]).toEqual([
    ['s3://x → s3://to', 2],
    ['s3://y → s3://to', 1],
  ])
})

test.each([
  ['the same source to another destination', { destination: { bucket: 'else', prefix: '' } }],
  ['another prefix of the source', { source: { bucket: 'from', prefix: 'a/' } }],
  ['another prefix of the destination', { destination: { bucket: 'to', prefix: 'b/' } }],
])('leaves a task of %s alone', async (_, places) => {
  const other = encodeTask(newCopyTask('a', { ...run, id: 'old', ...places }, [{ key: 'a/k', size: 1 }]))
  const sqs = new FakeSqs(letters(other))
  const { origins, elsewhere } = await play(sqs)
  expect([origins.size, elsewhere.size]).toEqual([0, 1])
  expect(sqs.sent).toEqual([])
})

test('sends objects again without what may have changed since', async () => {
  const object = { key: 'k', size: 1, etag: 'e', storageClass: 'GLACIER' }
  const before = { ...object, archived: true, upload: 'u', annotate: 'n' } as const
  const sqs = new FakeSqs(letters(encodeTask(newCopyTask('a', { ...run, id: 'old' }, [before]))))
  await play(sqs)
  const [task] = sqs.sent.map(decodeTask)
  expect(task).toHaveProperty('objects', [object])
})

test('leaves the tasks of runs whose queues exist alone, and counts them', async () => {
  const elsewhere = dead('d', 'going').replace('"from"', '"elsewhere"')
  const all = [
    dead('a', 'going'),
    dead('b', 'going'),
    dead('a', 'lost'),
    elsewhere,
    dead('a', 'new'),
    dead('c'),
  ]
  const sqs = new FakeSqs(letters(...all))
  sqs.runQueues.push('s-run-going', 's-run-lost', 's-run-new', 's-run-idle')
  const { origins, ongoing } = await play(sqs)
  expect([...origins]).toEqual(['old/c'])
  expect([...ongoing]).toEqual([
    ['s-run-going', 2],
    ['s-run-lost', 1],
  ])
})

test('waits for a run whose queue was deleted just now, which SQS may not say for a minute', async () => {
  const sqs = new FakeSqs(
    letters(dead('a', 'going'), dead('a', 'over'), dead('f.0', 'over', 'old/x'), dead('c')),
  )
  sqs.runQueues.push('s-run-going', 's-run-over')
  const { origins, ongoing, more } = await play(sqs, () => {
    if (sqs.now >= 60_000) sqs.runQueues.splice(1)
  })
  expect([...origins].sort()).toEqual(['old/c', 'over/a', 'over/f.0'])
  expect([...ongoing]).toEqual([['s-run-going', 1]])
  expect(more).toBe(false)
  expect(sqs.now).toBeLessThan(90_000)
})

describe('what a redrive that was cut off has left', () => {
  const again = dead('f.0', 'second', 'old/a')
  const third = dead('g.0', 'third', 'second/f.0')

  test.each([
    ['before', [again, dead('a'), dead('b')]],
    ['after', [dead('a'), dead('b'), again]],
  ])('is not sent beside what it comes of, if it is found %s that', async (_, all) => {
    const sqs = new FakeSqs(letters(...all))
    const { origins, objects } = await play(sqs)
    expect([[...origins].sort(), objects]).toEqual([['old/a', 'old/b'], 2])
    expect(sqs.sent.map((body) => decodeTask(body).run.origin).sort()).toEqual(['old/a', 'old/b'])
  })

  test.each([
    ['alone', [again]],
    ['before what was left of it', [again, third]],
    ['behind what was left of it', [third, again]],
  ])('is sent when what it comes of is gone: %s', async (_, all) => {
    const { origins } = await play(new FakeSqs(letters(...all)))
    expect([...origins]).toEqual(['second/f.0'])
  })

  test('is sent, and there may be more, when a task was hidden from the first look only', async () => {
    const sqs = new FakeSqs([...letters(again), { body: dead('b'), hiddenUntil: 200_000 }])
    const { origins, more } = await play(sqs)
    expect([[...origins], more]).toEqual([['second/f.0'], true])
  })

  test.each([
    ['is removed with what it comes of, unlike what the run itself has left', [], 2],
    ['stays while that redrive is going on', ['s-run-second'], 3],
  ])('%s', async (_, queues, count) => {
    const sqs = new FakeSqs(letters(again, dead('a'), dead('b'), dead('h.0', 'new', 'old/a')))
    sqs.runQueues.push(...queues)
    expect(await forget(redriveFrom(sqs), 'new', new Set(['old/a']), timingOf(sqs))).toBe(0)
    sqs.now = 200_000
    const left: string[] = []
    await look(redriveFrom(sqs).sqs, 'dlq', sqs.abort.signal, async ({ body }) => {
      left.push(body)
      return 'keep'
    })
    expect(left).toHaveLength(count)
    expect(left).not.toContain(dead('a'))
  })
})

test('a job that is cancelled waits no longer for what another look hides', async () => {
  const sqs = new FakeSqs([{ body: dead(), hiddenUntil: Number.POSITIVE_INFINITY }])
  await expect(play(sqs, () => sqs.abort.abort())).rejects.toHaveProperty('name', 'AbortError')
  expect(sqs.now).toBeLessThan(5_000)
})

describe('when redriven tasks are to be removed', () => {
  const both = new Set(['old/a', 'old/c'])
  const hidden = (hiddenUntil: number) =>
    new FakeSqs([...letters(dead('a'), dead('a'), dead('b')), { body: dead('c'), hiddenUntil }])

  test.each([5, 60, 119])(
    'one that another look hides for %i more seconds is waited for',
    async (seconds) => {
      const sqs = hidden(seconds * 1000)
      expect(await forget(redriveFrom(sqs), 'new', both, timingOf(sqs))).toBe(0)
      expect(sqs.now).toBeLessThan((seconds + 10) * 1000)
      expect([...(await play(sqs)).origins]).toEqual(['old/b'])
    },
  )

  test('those that are not shown for two minutes are counted', async () => {
    const sqs = hidden(Number.POSITIVE_INFINITY)
    expect(await forget(redriveFrom(sqs), 'new', both, timingOf(sqs))).toBe(1)
    expect(sqs.now).toBeGreaterThan(120_000)
    expect(sqs.now).toBeLessThan(150_000)
  })
})
