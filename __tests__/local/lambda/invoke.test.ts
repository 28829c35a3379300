import {
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Aws, startAws } from '../../../local/index.ts'
import { isRunning, notes, putFunction, until } from '../support.ts'

let aws: Aws
let lambda: LambdaClient

beforeAll(async () => {
  aws = await startAws({ concurrency: 3 })
  lambda = new LambdaClient({ endpoint: aws.url, region: aws.region, credentials: aws.credentials })
})
afterAll(async () => {
  lambda.destroy()
  await aws.stop()
})

async function invoke(
  name: string,
  event: unknown = {},
): Promise<{ error: string | undefined; result: unknown }> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }),
  )
  return { error: FunctionError, result: JSON.parse(Payload?.transformToString() ?? 'null') }
}

describe('Invoke', () => {
  test('gives the handler the event, the context and the environment', async () => {
    await putFunction(
      aws,
      'echo',
      `export const handler = async (event, context) => ({
         event, name: context.functionName, id: context.awsRequestId, left: context.getRemainingTimeInMillis(),
         region: process.env.AWS_REGION, endpoint: process.env.AWS_ENDPOINT_URL, own: process.env.OWN,
         heap: process.execArgv.join(' '),
       })`,
      { environment: { OWN: 'mine' }, timeout: 7, memorySize: 200 },
    )
    const { error, result } = await invoke('echo', { text: 'ø 😀' })
    expect(error).toBeUndefined()
    expect(result).toMatchObject({
      event: { text: 'ø 😀' },
      name: 'echo',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      region: aws.region,
      endpoint: aws.url,
      own: 'mine',
      heap: expect.stringContaining('--max-old-space-size=180'),
    })
    const { left } = result as { left: number }
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(7000)
  })

  test('uses a warm instance again, with what it remembers', async () => {
    await putFunction(aws, 'warm', `let calls = 0; export const handler = async () => [process.pid, ++calls]`)
    const [pid] = (await invoke('warm')).result as number[]
    expect((await invoke('warm')).result).toEqual([pid, 2])
  })

  test('reports what the handler throws, and keeps the instance', async () => {
    await putFunction(
      aws,
      'throws',
      `export const handler = async ({ fail }) => { if (fail) throw new TypeError('no such thing'); return process.pid }`,
    )
    const { result: pid } = await invoke('throws')
    expect(await invoke('throws', { fail: true })).toEqual({
      error: 'Unhandled',
      result: { errorType: 'TypeError', errorMessage: 'no such thing', trace: expect.any(Array) },
    })
    expect((await invoke('throws')).result).toBe(pid)
  })

  test('kills an instance that takes longer than the timeout', async () => {
    await putFunction(
      aws,
      'slow',
      `export const handler = async () => { console.log(JSON.stringify({ pid: process.pid })); for (;;); }`,
      { timeout: 1 },
    )
    expect(await invoke('slow')).toEqual({
      error: 'Unhandled',
      result: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringContaining('Task timed out after 1.00 seconds'),
      },
    })
    const { pid } = await until('the log is read', () => notes(aws, 'slow')[0])
    await until('the process is gone', () => !isRunning(pid as number))
  })

  test('fails when the handler uses more memory than the function has, and works again after that', async () => {
    await putFunction(
      aws,
      'greedy',
      `export const handler = async ({ much }) => {
         const kept = []
         while (much) kept.push(new Array(10_000).fill({}))
         return 'fine'
       }`,
    )
    expect(await invoke('greedy', { much: true })).toMatchObject({
      error: 'Unhandled',
      result: { errorType: 'Runtime.ExitError' },
    })
    expect(await invoke('greedy')).toEqual({ error: undefined, result: 'fine' })
  })

  test.each([
    ['exits', 'export const handler = async () => process.exit(3)', 'Runtime.ExitError', /exit status 3/],
    [
      'leaves',
      'export const handler = async () => process.exit(0)',
      'Runtime.ExitError',
      /without providing a reason/,
    ],
    ['does not load', 'throw new Error("broken module")', 'Error', /broken module/],
    ['has no handler', 'export const other = 1', 'Runtime.HandlerNotFound', /index\.handler/],
    [
      'declares a callback',
      'export const handler = async (event, context, callback) => callback(null, 1)',
      'Runtime.CallbackHandlerDeprecated',
      /callback/,
    ],
  ])('fails when the function %s', async (name, source, errorType, message) => {
    const functionName = name.replaceAll(' ', '-')
    await putFunction(aws, functionName, source)
    expect(await invoke(functionName)).toMatchObject({
      error: 'Unhandled',
      result: { errorType, errorMessage: expect.stringMatching(message) },
    })
  })

  test('refuses more invocations than the account may run at once', async () => {
    await putFunction(aws, 'waits', `export const handler = () => new Promise(() => {})`, { timeout: 60 })
    const running = [1, 2, 3].map(() => aws.lambda.invoke('waits', '{}'))
    await expect(invoke('echo')).rejects.toMatchObject({ name: 'TooManyRequestsException' })
    const { busy } = aws.lambda.pids('waits')
    expect(busy).toHaveLength(3)
    await aws.lambda.delete('waits')
    await Promise.all(running)
    expect(busy.filter(isRunning)).toEqual([])
  })

  test('answers a dry run without running anything', async () => {
    await putFunction(aws, 'dry', `export const handler = async () => 1`)
    const { StatusCode } = await lambda.send(
      new InvokeCommand({ FunctionName: 'dry', InvocationType: 'DryRun' }),
    )
    expect(StatusCode).toBe(204)
    expect(aws.lambda.logs('dry')).toEqual([])
  })

  test('an instance stands still between invocations', async () => {
    await putFunction(
      aws,
      'ticks',
      `let ticks = 0; setInterval(() => ticks++, 1); export const handler = async () => ticks`,
    )
    const before = (await invoke('ticks')).result as number
    // Another function's whole life passes, which is far longer than 20 ticks would take.
    await putFunction(
      aws,
      'other',
      `export const handler = async () => new Promise((done) => setTimeout(done, 200))`,
    )
    await invoke('other')
    expect((await invoke('ticks')).result).toBeLessThan(before + 20)
  })
})

test('a new revision takes over from the old one', async () => {
  await putFunction(aws, 'revised', `export const handler = async () => 'old'`)
  expect((await invoke('revised')).result).toBe('old')
  const { idle } = aws.lambda.pids('revised')
  await putFunction(aws, 'revised', `export const handler = async () => 'new'`)
  expect((await invoke('revised')).result).toBe('new')
  expect(idle.filter(isRunning)).toEqual([])
})

test('a function is described by name and by ARN', async () => {
  await putFunction(aws, 'described', `export const handler = async () => 1`, { environment: { A: 'b' } })
  const configuration = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'described' }))
  expect(configuration).toMatchObject({
    FunctionName: 'described',
    Handler: 'index.handler',
    State: 'Active',
    Timeout: 10,
    Environment: { Variables: { A: 'b' } },
  })
  const { Configuration } = await lambda.send(
    new GetFunctionCommand({ FunctionName: configuration.FunctionArn }),
  )
  expect(Configuration?.CodeSha256).toBe(configuration.CodeSha256)
  await expect(lambda.send(new GetFunctionCommand({ FunctionName: 'missing' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: expect.stringContaining('function:missing'),
  })
})

test('the account settings give its concurrency', async () => {
  const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}))
  expect(AccountLimit).toMatchObject({ ConcurrentExecutions: 3, UnreservedConcurrentExecutions: 3 })
})

test.each([
  ['another runtime', { runtime: 'python3.13' }, /python3.13/],
  ['a timeout above 900 s', { timeout: 901 }, /901/],
  ['too little memory', { memorySize: 64 }, /64/],
  ['a reserved variable', { environment: { AWS_REGION: 'x' } }, /AWS_REGION/],
  ['variables above 4 KB', { environment: { A: 'x'.repeat(5000) } }, /4 KB/],
])('%s is refused', async (_, settings, message) => {
  await expect(putFunction(aws, 'refused', 'export {}', settings)).rejects.toThrow(message)
})
