import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Failures } from '../../src/failures.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'failures-'))
})
afterEach(() => rm(folder, { recursive: true }))

const failed = (key: string, code = 'AccessDenied') => ({ key, code, message: `no ${key}` })

test('the report has a line for each failure of a task that counts, whatever the key', async () => {
  const path = join(folder, 'deep', 'report.ndjson')
  const failures = new Failures(path)
  const keys = ['a\nb', '\u2028', '🚀', '"', '\ufffe', '__proto__']
  await failures.add('orphan.0', [failed('not counted')])
  await failures.add(
    'seed.0',
    keys.map((key) => failed(key)),
  )
  await failures.add('seed.1', [failed('x', 'NoSuchKey'), failed('y', 'constructor')])
  const groups = await failures.finish((task) => task.startsWith('seed'))

  const lines = (await readFile(path, 'utf8')).trimEnd().split(/[\n\u2028\u2029]/)
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    ...keys.map((key) => failed(key)),
    failed('x', 'NoSuchKey'),
    failed('y', 'constructor'),
  ])
  expect(groups.map(({ code, count }) => [code, count])).toEqual([
    ['AccessDenied', 6],
    ['NoSuchKey', 1],
    ['constructor', 1],
  ])
  expect(groups[0]?.examples).toHaveLength(3)
  expect(await readdir(join(folder, 'deep'))).toEqual(['report.ndjson'])
})

test('a run without failures has an empty report', async () => {
  const path = join(folder, 'report.ndjson')
  expect(await new Failures(path).finish(() => true)).toEqual([])
  expect(await readFile(path, 'utf8')).toBe('')
})

test('a folder that can’t be written is told when the report is asked for, and does not end the process before', async () => {
  const unwritable = new Failures('/dev/null/report')
  await new Promise((resolve) => setTimeout(resolve, 50))
  await expect(unwritable.finish(() => true)).rejects.toThrow(/ENOTDIR|EEXIST/)
})

test('what one process has given away, piece by piece, another takes in and goes on', async () => {
  const one = new Failures(join(folder, 'one'))
  expect(one.unsaved).toBe(0)
  await one.add('seed.0', [failed('a'), failed('🚀')])
  const take = async () => {
    const bytes = await one.readUnsaved()
    one.markSaved(bytes.length)
    return bytes
  }
  const pieces = [await take()]
  expect(pieces[0]?.length).toBeGreaterThan(0)
  expect(one.unsaved).toBe(0)
  await one.add('seed.1', [failed('b')])
  expect(one.unsaved).toBeGreaterThan(0)
  pieces.push(await take())
  await one.add('seed.2', [failed('lost')])

  const path = join(folder, 'two')
  const two = new Failures(path)
  for (const piece of pieces) await two.restore(piece)
  expect(two.unsaved).toBe(0)
  await two.add('seed.3', [failed('c')])
  expect((await two.readUnsaved()).toString()).toContain('"seed.3"')
  await two.finish(() => true)
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { key: string }).key)).toEqual(['a', '🚀', 'b', 'c'])
})
