import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { Run } from '../../protocol/run.ts'
import { encodeTask, newCopyTask, newListTask } from '../../protocol/task.ts'
import { DeadLetters } from '../../src/dead-letters.ts'
import { Failures } from '../../src/failures.ts'
import { Ledger } from '../../src/ledger.ts'
import { UnlistedParts } from '../../src/unlisted.ts'

const run: Run = {
  id: 'ours',
  queue: 'https://sqs/run',
  source: { bucket: 'from', prefix: '' },
  destination: { bucket: 'to', prefix: '' },
  batchSize: 10,
}
const copy = (id: string, keys: string[], of = run) =>
  encodeTask(
    newCopyTask(
      id,
      of,
      keys.map((key) => ({ key, size: 1 })),
    ),
  )

let folder: string
let ledger: Ledger
let failures: Failures
let letters: DeadLetters
let unlisted: UnlistedParts
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letters-'))
  ledger = new Ledger(2)
  unlisted = new UnlistedParts()
  failures = new Failures(join(folder, 'report'))
  letters = new DeadLetters(run.id, ledger, failures, unlisted)
})
afterEach(() => rm(folder, { recursive: true }))

test('a dead copy task settles, with its objects named in the report, however often it is seen', async () => {
  for (const id of ['m1', 'm1', 'm2']) await letters.take({ id, body: copy('seed.0', ['a', 'b']) })
  expect(ledger.totals).toMatchObject({ deadTasks: 1, deadObjects: 2 })
  expect(letters.messages).toBe(1)
  expect(ledger.open).toBe(1)
  const [group] = await failures.finish((task) => ledger.counts(task))
  expect(group).toMatchObject({ code: 'DeadLettered', count: 2 })
})

test('a dead list task settles, and says what was not listed', async () => {
  const body = encodeTask(
    newListTask('seed.1', run, { prefix: 'logs/', ranges: [{ after: 'a', upTo: 'b' }] }),
  )
  await letters.take({ id: 'm', body })
  expect(unlisted.of((task) => ledger.counts(task))).toMatchObject([
    { part: { prefix: 'logs/', ranges: [{ after: 'a', upTo: 'b' }] }, code: 'DeadLettered' },
  ])
  expect(letters.messages).toBe(1)
})

test('messages of other runs are left alone', async () => {
  await letters.take({ id: 'm', body: copy('seed.0', ['a'], { ...run, id: 'theirs' }) })
  expect(letters.messages).toBe(0)
  expect(ledger.open).toBe(2)
})

test('the dead task of an attempt that is not counted is not counted either, until it is', async () => {
  await letters.take({ id: 'm', body: copy('died.0', ['a']) })
  expect(letters.messages).toBe(0)
  ledger.settle({ task: 'seed.0', totals: { listed: 1 }, spawned: { attempt: 'died', children: 1 } })
  expect(letters.messages).toBe(1)
  expect(ledger.totals.deadObjects).toBe(1)
})

test('a poison message that names this run is counted once: as its task when it is one, else by itself', async () => {
  const poison = copy('seed.0', ['a', 'b']).replace('"v":1', '"v":99')
  await letters.take({ id: 'm1', body: poison })
  await letters.take({ id: 'm1', body: poison })
  expect(ledger.totals).toMatchObject({ deadTasks: 1, deadObjects: 2 })
  expect(letters.messages).toBe(1)
  await letters.take({ id: 'm2', body: JSON.stringify({ run: { id: run.id } }) })
  await letters.take({ id: 'm3', body: copy('nobodys.7', ['x']).replace('"v":1', '"v":99') })
  expect(letters.messages).toBe(3)
  expect(ledger.open).toBe(1)
})

test('a message that names no run is nobody’s, but is told', async () => {
  for (const body of ['hello', '{}', '']) await letters.take({ id: body, body })
  expect(letters.messages).toBe(0)
  expect(letters.nameless).toBe(3)
})
