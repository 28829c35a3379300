import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { runStep } from '../../local/runner.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import { encodeTask, newListTask } from '../../protocol/task.ts'
import { ON_STACK, send, startStack, type TestStack } from './support.ts'

jest.setTimeout(300_000)

let stack: TestStack
beforeAll(async () => {
  stack = await startStack(['from-hostile', 'to-hostile', 'from-bad', 'to-bad'])
})
afterAll(async () => {
  await stack.stop()
})

const inputs = (source: string, destination: string) => ({
  source: `s3://${source}`,
  destination: `s3://${destination}`,
  ...ON_STACK,
})

/** What the runner would obey in a line: `::` at its beginning, `##[` anywhere (actions/runner, ActionCommand). */
function commandsIn(log: string): string[] {
  return log
    .split(/\r\n|\r|\n|\u2028|\u2029|\u0085/)
    .map((line) => /^\s*::([a-z-]+)/.exec(line)?.[1] ?? (line.includes('##[') ? '##[' : ''))
    .filter((command) => command !== '')
}

test('neither a key nor what S3 says of it is obeyed by the runner or shown as anything but text', async () => {
  const keys = [
    'a\n::set-output name=copied::0',
    'b\r\n::stop-commands::x',
    'c ##[add-mask]photos',
    '\u2028::add-mask::photos',
    '| d | <img src=x onerror=alert(1)> [x](https://example.com) `code`',
    'e\u202egnp',
  ]
  stack.bucket('from-hostile', keys)
  stack.bucket('to-hostile')
  let refusals = 0
  stack.intercept(({ operation, key }) =>
    operation === 'CopyObject'
      ? {
          kind: 'error',
          // Each with a code of its own, so that each is an example in log and summary.
          code:
            (['AccessDenied', 'InvalidRequest', 'NoSuchBucket'] as const)[refusals++ % 3] ?? 'AccessDenied',
          message: `${key} \n::notice::no ##[set-env name=PATH]x <script>`,
        }
      : undefined,
  )
  const step = await runStep({ inputs: inputs('from-hostile', 'to-hostile'), env: stack.env })
  stack.intercept(() => undefined)
  expect(step.exitCode).toBe(1)
  expect(step.outputs).toMatchObject({ listed: '6', copied: '0', failed: '6' })
  // Those of the action itself; the keys and messages use others.
  expect(new Set(commandsIn(step.log))).toEqual(new Set(['group', 'endgroup', 'error', 'warning']))
  expect(step.summary).not.toMatch(/<img|<script|\]\(https|^::|\u202e|\u2028/m)
  const report = await readFile(step.outputs.report ?? '', 'utf8')
  const reported = report
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string })
  expect(reported.map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
  expect(report).toMatch(/^[\x20-\x7e\n]*$/)
})

test('messages that are no tasks of this version go to the DLQ, and are no matter to a run that names others', async () => {
  stack.bucket('from-bad', ['k'])
  stack.bucket('to-bad')
  const run = {
    id: 'another',
    queue: `${stack.stack.listQueueUrl}-none`,
    source: { bucket: 'from-bad', prefix: '' },
    destination: { bucket: 'to-bad', prefix: '' },
    batchSize: 10,
  }
  const task = encodeTask(newListTask('seed.0', run, { prefix: '', ranges: [{}] }))
  const bad = [
    'not JSON',
    '{}',
    '[]',
    'null',
    `{"v":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    task.replace(`"v":${PROTOCOL}`, `"v":${PROTOCOL + 1}`),
    task.replace('"kind":"list"', '"kind":"__proto__"'),
  ]
  for (const body of bad) await send(stack.sqs, stack.stack.listQueueUrl, body)
  for (const body of bad) await send(stack.sqs, stack.stack.copyQueueUrl, body)
  const step = await runStep({ inputs: inputs('from-bad', 'to-bad'), env: stack.env })
  expect(step.exitCode).toBe(0)
  expect(step.outputs).toMatchObject({ listed: '1', copied: '1', dlq: '0' })
  while ((await stack.deadLetters()).length < 2 * bad.length)
    await new Promise((wake) => setTimeout(wake, 200))
  expect(stack.logs('list').join('\n')).toContain('version 2')
})
