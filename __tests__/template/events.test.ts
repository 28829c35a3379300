import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { prepareEvents } from '../../local/events.ts'
import { type Aws, startAws } from '../../local/index.ts'
import { PROTOCOL } from '../../protocol/message.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const FUNCTIONS = { list: 'ListFunction', copy: 'CopyFunction' }

type Template = {
  Globals: { Function: { CodeUri: string; Timeout: number } }
  Resources: Record<string, { Properties: { Handler: string; CodeUri?: string } }>
}
const template = parse(readFileSync(join(ROOT, 'template.yaml'), 'utf8'), {
  customTags: ['Ref', 'Sub', 'GetAtt', 'If', 'Not', 'Equals', 'Join', 'Split'].map((name) => ({
    tag: `!${name}`,
    resolve: (value: unknown) => value,
  })),
  logLevel: 'error',
}) as Template

let aws: Aws
beforeAll(async () => {
  aws = await startAws()
  await prepareEvents(aws.url, aws.region)
})
afterAll(() => aws.stop())

/** A file of events/, with this embedded AWS in place of the one that a container would see. */
function read(file: string): string {
  return readFileSync(join(ROOT, 'events', file), 'utf8').replaceAll(
    'http://host.docker.internal:4571',
    aws.url,
  )
}

/** Runs a function as `sam local invoke` does: the module and export that CodeUri and Handler name, with the event of a file. */
async function invoke(kind: keyof typeof FUNCTIONS, event: string): Promise<unknown> {
  const { CodeUri = template.Globals.Function.CodeUri, Handler } = template.Resources[FUNCTIONS[kind]]
    ?.Properties ?? { Handler: '' }
  const [module = '', name = ''] = Handler.split('.')
  const variables = JSON.parse(read('env.json')) as Record<string, Record<string, string>>
  const script = `
    const { ${name}: handler } = await import(${JSON.stringify(join(ROOT, CodeUri, `${module}.mjs`))})
    const event = JSON.parse(${JSON.stringify(read(event))})
    const answer = await handler(event, { getRemainingTimeInMillis: () => 60_000, functionName: 'local', awsRequestId: 'x' })
    process.stderr.write('\\n' + JSON.stringify(answer), () => process.exit())`
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: {
      PATH: process.env.PATH,
      AWS_REGION: aws.region,
      ...variables[FUNCTIONS[kind]],
    },
  })
  return JSON.parse(stderr.split('\n').at(-1) as string)
}

const waiting = (queue: string) => aws.queues.getQueueByName(queue)?.messages.length

test('events/check.json: the list function finds nothing in the way', async () => {
  expect(await invoke('list', 'check.json')).toEqual({ protocol: PROTOCOL, problems: [] })
})

test('events/list.json: the list function sends a copy task and reports', async () => {
  expect(await invoke('list', 'list.json')).toEqual({ batchItemFailures: [] })
  expect([waiting('copy'), waiting('s3-71-run-20260101-000000-00000000')]).toEqual([1, 1])
})

test('events/copy.json: the copy function copies and reports', async () => {
  expect(await invoke('copy', 'copy.json')).toEqual({ batchItemFailures: [] })
  expect(aws.s3.store.get('destination', '日/🚀')?.etag).toBe(aws.s3.store.get('source', '日/🚀')?.etag)
  expect(aws.s3.store.get('destination', 'a+b.txt')).toBeDefined()
})
