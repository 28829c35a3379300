import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { PROTOCOL } from '../../protocol/message.ts'
import { encodeOutcome, type Outcome } from '../../protocol/outcome.ts'
import { LeaseLostError } from '../../src/checkpoint/saver.ts'
import { Failures } from '../../src/failures.ts'
import type { Delivery } from '../../src/inbox.ts'
import { Ledger } from '../../src/ledger.ts'
import { takeOutcomes } from '../../src/outcomes.ts'
import { UnlistedParts } from '../../src/unlisted.ts'
import type { WatchedRun, WatchOptions } from '../../src/watch.ts'

let folder: string
let ledger: Ledger
let failures: Failures
let unlisted: UnlistedParts
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outcomes-'))
  ledger = new Ledger(2)
  failures = new Failures(join(folder, 'report'))
  unlisted = new UnlistedParts()
})
afterEach(() => rm(folder, { recursive: true }))

/** Takes in what the run queue holds. */
async function take(bodies: string[], took: (delivery: Delivery) => Promise<void>): Promise<void> {
  const sqs = { send: async () => ({ Messages: bodies.splice(0, 10).map((Body) => ({ Body })) }) }
  const watched: Partial<WatchedRun> = {
    sqs: sqs as unknown as SQSClient,
    runQueueUrl: 'run',
    ledger,
    failures,
    unlisted,
    took,
  }
  const options: Partial<WatchOptions> = {
    pollMs: 10_000,
    wait: false,
    timing: { now: () => 0, sleep: async () => {}, random: () => 0 },
    signal: new AbortController().signal,
    onWarning: () => {},
  }
  await takeOutcomes(watched as WatchedRun, options as WatchOptions)
  await failures.ready
}

const outcome = (task: string, more: Partial<Outcome> = {}): string =>
  encodeOutcome({
    v: PROTOCOL,
    kind: 'list',
    task,
    attempt: 'a',
    children: 0,
    listed: 2,
    copied: 1,
    skipped: 0,
    vanished: 0,
    reclassed: 0,
    bytes: 0,
    failures: [{ key: `of ${task}`, code: 'AccessDenied', message: 'no' }],
    unlisted: { part: { prefix: task, ranges: [{}] }, code: 'NoSuchBucket', message: 'gone' },
    ...more,
  })

test('what is said of a task more than once is told once: as it was said first', async () => {
  const again = outcome('seed.0', {
    failures: [{ key: 'another', code: 'AccessDenied', message: 'no' }],
    unlisted: { part: { prefix: 'another', ranges: [{}] }, code: 'NoSuchBucket', message: 'gone' },
  })
  await take([outcome('seed.0'), outcome('seed.0'), again, outcome('seed.1')], async () => {})
  expect(ledger.totals).toMatchObject({ listed: 4, copied: 2, failed: 2 })
  expect(unlisted.entries.map(([task, { part }]) => [task, part.prefix])).toEqual([
    ['seed.0', 'seed.0'],
    ['seed.1', 'seed.1'],
  ])
  await failures.finish(() => true)
  const lines = (await readFile(join(folder, 'report'), 'utf8')).trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { key: string }).key)).toEqual(['of seed.0', 'of seed.1'])
})

test('what was said is in the books when it is taken off the queue', async () => {
  const books: object[] = []
  await take([outcome('seed.0')], async ({ bodies }) => {
    if (bodies.length === 0) return
    books.push({ settled: ledger.settled, failed: failures.unsaved > 0, unlisted: unlisted.entries.length })
  })
  expect(books).toEqual([{ settled: 1, failed: true, unlisted: 1 }])
})

test('nothing more is taken in when somebody else has taken the run over', async () => {
  const lost = async () => {
    throw new LeaseLostError()
  }
  await expect(take([outcome('seed.0')], lost)).rejects.toThrow(LeaseLostError)
})
