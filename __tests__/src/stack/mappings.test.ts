import { setTimeout as delay } from 'node:timers/promises'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { CreateQueueCommand, PurgeQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { newRunId } from '../../../protocol/ids.ts'
import {
  afterRun,
  checkFunction,
  ensureStack,
  keepEnabled,
  resume,
  type StackOutputs,
  untilEnabled,
} from '../../../src/stack/index.ts'
import { pauseIfIdle } from '../../../src/stack/mappings.ts'
import { emptyAccount, STACK, tools, writeCode } from './support.ts'

/** Each test deploys a stack, which takes a second, and more on a busy machine. */
jest.setTimeout(300_000)

const DAY_MS = 24 * 3600_000

describe('on the embedded AWS', () => {
  let account: Awaited<ReturnType<typeof emptyAccount>>
  let outputs: StackOutputs

  beforeAll(async () => {
    account = await emptyAccount()
    outputs = (await ensureStack(account.clients, account.request, tools())).outputs
  })
  afterAll(() => account.stop())
  beforeEach(async () => {
    for (const { url } of account.aws.queues.listQueues('s3-71-run-').queues)
      account.aws.queues.deleteQueue(url)
    await wake()
    account.calls.length = 0
  })

  const wake = async () => {
    await resume(account.clients.lambda, outputs, tools())
    await untilEnabled(account.clients.lambda, outputs, new AbortController().signal, tools())
  }
  const states = () =>
    [outputs.listMappingId, outputs.copyMappingId].map((id) => account.aws.lambda.mapping(id).state)
  const startRun = async (at = Date.now()) => {
    const id = newRunId(new Date(at))
    const { QueueUrl = '' } = await account.clients.sqs.send(
      new CreateQueueCommand({ QueueName: `${outputs.runQueuePrefix}${id}` }),
    )
    return { id, queue: QueueUrl }
  }
  const runQueues = () => account.aws.queues.listQueues(outputs.runQueuePrefix).queues.map(({ url }) => url)
  const pause = async (run?: string) => {
    const on = tools()
    await afterRun('pause', { run, status: 'succeeded' }, account.clients, { name: STACK, outputs }, on)
    return on.lines
  }

  test('an idle stack is paused after a run and resumed for the next', async () => {
    expect(await pause()).toEqual(['The stack s3-71 is paused. It polls nothing until the next run.'])
    expect(states()).toEqual([expect.stringMatching(/^Disabl/), expect.stringMatching(/^Disabl/)])
    await wake()
    expect(states()).toEqual(['Enabled', 'Enabled'])
  })

  test('a stack is not paused while other runs are going on, which are named with their queues', async () => {
    const one = await startRun()
    const [line, ...more] = await pause()
    expect(more).toEqual([])
    expect(line).toMatch(
      /^The stack s3-71 stays as it is, because another run is in progress\..*delete its queue to end it/,
    )
    expect(line?.split('\n').slice(1)).toEqual([`- ${one.id}, with the queue ${one.queue}`])
    const two = await startRun()
    const [both] = await pause()
    expect(both).toMatch(/because 2 other runs are in progress\./)
    for (const { id, queue } of [one, two]) expect(both).toContain(`\n- ${id}, with the queue ${queue}`)
    expect(states()).toEqual(['Enabled', 'Enabled'])
  })

  test('a run that is over keeps no stack awake while SQS still answers for its queue', async () => {
    const { id } = await startRun()
    expect(await pause(id)).toEqual(['The stack s3-71 is paused. It polls nothing until the next run.'])
    expect(states()).toEqual([expect.stringMatching(/^Disabl/), expect.stringMatching(/^Disabl/)])
  })

  test('a run queue that was left behind weeks ago keeps no stack awake, and is deleted', async () => {
    const { id } = await startRun(Date.now() - 21 * DAY_MS)
    expect(await pause()).toEqual([
      `Deleted the queue of run ${id}, which began more than 14 days ago and was abandoned.`,
      'The stack s3-71 is paused. It polls nothing until the next run.',
    ])
    expect(states()).toEqual([expect.stringMatching(/^Disabl/), expect.stringMatching(/^Disabl/)])
    expect(runQueues()).toEqual([])
  })

  test('the queue of an old run is not deleted while a task waits that could be of that run', async () => {
    const { queue } = await startRun(Date.now() - 21 * DAY_MS)
    const { sqs } = account.clients
    await sqs.send(
      new SendMessageCommand({ QueueUrl: outputs.copyQueueUrl, MessageBody: '{}', DelaySeconds: 900 }),
    )
    await pause()
    expect(runQueues()).toEqual([queue])
    await sqs.send(new PurgeQueueCommand({ QueueUrl: outputs.copyQueueUrl }))
  })

  test('nothing is done when the stack is kept', async () => {
    await afterRun('keep', { status: 'succeeded' }, account.clients, { name: STACK, outputs }, tools())
    expect(account.calls).toEqual([])
  })

  test('a run that gets no further finds out that it was paused', async () => {
    expect(await keepEnabled(account.clients.lambda, outputs, tools())).toBe(false)
    await pause()
    expect(await keepEnabled(account.clients.lambda, outputs, tools())).toBe(true)
    await untilEnabled(account.clients.lambda, outputs, new AbortController().signal, tools())
    expect(states()).toEqual(['Enabled', 'Enabled'])
  })

  test('a wait that is given up enables nothing more', async () => {
    await pause()
    await untilEnabled(account.clients.lambda, outputs, AbortSignal.abort(), tools())
    expect(states()).toEqual([expect.stringMatching(/^Disabl/), expect.stringMatching(/^Disabl/)])
  })

  test('a pause that comes just after a run has resumed the stack does not hold the run up', async () => {
    await resume(account.clients.lambda, outputs, tools())
    await pause()
    let minutes = 0
    const timing = {
      random: Math.random,
      now: () => minutes * 60_000,
      sleep: async () => {
        minutes += 0.1
        await delay(20)
      },
    }
    await untilEnabled(account.clients.lambda, outputs, new AbortController().signal, { timing })
    expect(states()).toEqual(['Enabled', 'Enabled'])
  })
})

describe('the start of a run', () => {
  let account: Awaited<ReturnType<typeof emptyAccount>>
  let outputs: StackOutputs
  const check = {
    source: { bucket: 'photos-old', prefix: '' },
    destination: { bucket: 'photos-new', prefix: 'a/' },
  }

  beforeAll(async () => {
    account = await emptyAccount()
  })
  afterAll(() => account.stop())

  const deploy = async (answer: string) => {
    const codePath = writeCode(
      account.request.codePath.replace(/[^/]+$/, ''),
      `export const handler = async (event) => (${answer})`,
    )
    const ensured = await ensureStack(account.clients, { ...account.request, codePath }, tools())
    outputs = ensured.outputs
    return async () => await ensureStack(account.clients, { ...account.request, codePath }, tools())
  }
  const checkList = (fresh = false) =>
    checkFunction(account.clients.lambda, outputs.listFunctionName, check, fresh, tools())

  test('on a stack that is there and paused takes four calls', async () => {
    const again = await deploy('{ protocol: 1, problems: [] }')
    await afterRun('pause', { status: 'succeeded' }, account.clients, { name: STACK, outputs }, tools())
    while (account.aws.lambda.mapping(outputs.copyMappingId).state !== 'Disabled') await delay(20)
    while (account.aws.lambda.mapping(outputs.listMappingId).state !== 'Disabled') await delay(20)
    account.calls.length = 0
    await again()
    await Promise.all([resume(account.clients.lambda, outputs, tools()), checkList()])
    expect(account.calls.sort()).toEqual([
      'CloudFormation DescribeStacks',
      'Lambda Invoke',
      'Lambda UpdateEventSourceMapping',
      'Lambda UpdateEventSourceMapping',
    ])
  })

  test('hands the function what the run is about', async () => {
    await deploy(
      '{ protocol: 1, problems: [event.check.destination.bucket + "/" + event.check.destination.prefix] }',
    )
    await expect(checkList()).rejects.toThrow(
      /s3-71-list can’t serve this run\. Nothing was sent.\n- photos-new\/a\/$/,
    )
  })

  test('is refused by a function of another protocol', async () => {
    await deploy('{ protocol: 99, problems: [] }')
    await expect(checkList()).rejects.toThrow(/version 99 of the protocol.*Update the stack/)
  })

  test.each([
    ['that knows no check', '{ batchItemFailures: [] }', /outdated or broken.*batchItemFailures/],
    ['that fails', '(() => { throw new Error("no such thing") })()', /outdated or broken.*no such thing/],
  ])('is refused by a function %s', async (_, answer, message) => {
    await deploy(answer)
    await expect(checkList()).rejects.toThrow(message)
  })

  test('waits for rights that the role was given just now', async () => {
    await deploy(
      '{ protocol: 1, problems: (globalThis.asked = (globalThis.asked ?? 0) + 1) > 2 ? [] : ["AccessDenied"] }',
    )
    await checkList(true)
  })
})

/**
 * A run that begins and another that ends, call by call, in every order there is. What AWS knows is a set of run queues
 * and one mapping; a call takes effect when its turn comes.
 */
describe('a run begins while another ends', () => {
  const mappings = { listMappingId: 'm', copyMappingId: 'm', runQueuePrefix: 's3-71-run-' }
  const RUN_QUEUE = 'https://sqs/1/s3-71-run-new'

  type Actor = 'begin' | 'end'
  const world = { enabled: true, queues: new Set<string>() }
  /** Calls that wait for their turn. */
  const waiting: Record<Actor, Array<() => void>> = { begin: [], end: [] }
  const actors = { begin: clientsOf('begin'), end: clientsOf('end') }

  function clientsOf(actor: Actor): { lambda: LambdaClient; sqs: SQSClient } {
    const clients = {
      lambda: new LambdaClient({ region: 'eu-west-1' }),
      sqs: new SQSClient({ region: 'eu-west-1' }),
    }
    for (const client of Object.values(clients))
      (client as SQSClient).middlewareStack.add(
        (_next, { commandName = '' }) =>
          async ({ input }) => {
            await new Promise<void>((resolve) => waiting[actor].push(resolve))
            return { output: perform(commandName, input as { Enabled?: boolean }), response: {} } as never
          },
        { step: 'initialize' },
      )
    return clients
  }

  function perform(command: string, { Enabled }: { Enabled?: boolean }): object {
    if (command === 'CreateQueueCommand') world.queues.add(RUN_QUEUE)
    else if (command === 'ListQueuesCommand') return { QueueUrls: [...world.queues] }
    else if (command === 'UpdateEventSourceMappingCommand') world.enabled = Enabled ?? world.enabled
    else if (command !== 'GetQueueAttributesCommand') throw new Error(`no answer for ${command}`)
    return {}
  }

  /** Lets the calls take effect in the order of `turns`, and those that are left over in any. */
  async function play(turns: Actor[]): Promise<boolean> {
    world.enabled = true
    world.queues.clear()
    const over = { begin: false, end: false }
    const begin = actors.begin.sqs
      .send(new CreateQueueCommand({ QueueName: 's3-71-run-new' }))
      .then(() => resume(actors.begin.lambda, mappings, tools()))
      .finally(() => {
        over.begin = true
      })
    const end = pauseIfIdle(actors.end, mappings, undefined, tools()).finally(() => {
      over.end = true
    })
    const both = Promise.all([begin, end])
    const rest = [...turns]
    while (!over.begin || !over.end) {
      const next = rest[0] ?? (over.begin ? 'end' : 'begin')
      const go = waiting[next].shift()
      if (go || over[next]) rest.shift()
      go?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await both
    return world.enabled
  }

  test('in whatever order, the mappings are enabled in the end', async () => {
    // The run that begins makes 3 calls, the one that ends up to 8.
    const slots = Array.from({ length: 11 }, (_, slot) => slot)
    const orders = slots.flatMap((a) =>
      slots.filter((b) => b > a).flatMap((b) => slots.filter((c) => c > b).map((c) => [a, b, c])),
    )
    const asleep: number[][] = []
    for (const order of orders)
      if (!(await play(slots.map((slot) => (order.includes(slot) ? 'begin' : 'end'))))) asleep.push(order)
    expect(orders).toHaveLength(165)
    expect(asleep).toEqual([])
  })
})
