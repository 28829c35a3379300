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

type Properties = {
  CodeUri: string
  Handler: string
  Environment: { Variables: Record<string, string> }
}
type Template = { Globals: { Function: Properties }; Resources: Record<string, { Properties: Properties }> }

/** What a template says of a function, with what it says of all. */
function propertiesOf(kind: keyof typeof FUNCTIONS, template: string): Properties {
  const { Globals, Resources } = parse(template, { logLevel: 'silent' }) as Template
  return { ...Globals.Function, ...Resources[FUNCTIONS[kind]]?.Properties } as Properties
}

let aws: Aws
beforeAll(async () => {
  aws = await startAws()
  await prepareEvents(aws)
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
  const { CodeUri, Handler, Environment } = propertiesOf(kind, read('template.yaml'))
  const [module = '', name = ''] = Handler.split('.')
  const script = `
    const { ${name}: handler } = await import(${JSON.stringify(join(ROOT, 'events', CodeUri, `${module}.mjs`))})
    const event = JSON.parse(${JSON.stringify(read(event))})
    const answer = await handler(event, { getRemainingTimeInMillis: () => 60_000, functionName: 'local', awsRequestId: 'x' })
    process.stderr.write('\\n' + JSON.stringify(answer), () => process.exit())`
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: {
      PATH: process.env.PATH,
      // What SAM makes of the shell's; no other variables reach the container.
      AWS_REGION: 'eu-west-3',
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
      ...Environment.Variables,
    },
  })
  return JSON.parse(stderr.split('\n').at(-1) as string)
}

test.each(['list', 'copy'] as const)('events/template.yaml has the %s function of template.yaml', (kind) => {
  const { CodeUri, Environment, ...rest } = propertiesOf(kind, read('template.yaml'))
  const own = propertiesOf(kind, readFileSync(join(ROOT, 'template.yaml'), 'utf8'))
  expect(own).toMatchObject(rest)
  expect(join(ROOT, 'events', CodeUri)).toBe(join(ROOT, own.CodeUri))
  expect(Object.keys(Environment.Variables)).toEqual(
    expect.arrayContaining(
      Object.keys(own.Environment.Variables).filter((name) => name.endsWith('_QUEUE_URL')),
    ),
  )
})

const waiting = (queue: string) => aws.queues.getQueueByName(queue)?.messages.length

test('events/check.json: the list function finds nothing in the way', async () => {
  expect(await invoke('list', 'check.json')).toEqual({ protocol: PROTOCOL, problems: [], empty: [] })
})

test('events/list.json: the list function sends a copy task and reports', async () => {
  expect(await invoke('list', 'list.json')).toEqual({ batchItemFailures: [] })
  expect([waiting('copy'), waiting('events-run-20260101-000000-00000000')]).toEqual([1, 1])
})

test('events/copy.json: the copy function copies and reports', async () => {
  expect(await invoke('copy', 'copy.json')).toEqual({ batchItemFailures: [] })
  expect(aws.s3.store.get('destination', '日/🚀')?.etag).toBe(aws.s3.store.get('source', '日/🚀')?.etag)
  expect(aws.s3.store.get('destination', 'a+b.txt')).toBeDefined()
})
