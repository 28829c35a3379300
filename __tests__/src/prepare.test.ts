import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Clients } from '../../src/clients.ts'
import type { Inputs } from '../../src/inputs.ts'
import { prepareStack } from '../../src/prepare.ts'
import { clientsFor, emptyAccount, STACK, tools } from './stack/support.ts'

/** Each test deploys a stack with the built functions, which takes seconds on a busy machine. */
jest.setTimeout(300_000)

let account: Awaited<ReturnType<typeof emptyAccount>>
beforeEach(async () => {
  account = await emptyAccount()
})
afterEach(() => account.stop())

const inputs = {
  source: { bucket: 'photos-old', prefix: '' },
  destination: { bucket: 'photos-new', prefix: '' },
  options: {},
  prefixes: [],
  stackName: STACK,
  region: 'eu-west-1',
  deploy: 'auto',
  maxConcurrency: 8,
  afterRun: 'pause',
} as unknown as Inputs

/** Prepares a run, with pauses that are over at once, and gives all that was logged. */
async function prepare(more: Partial<Inputs> = {}) {
  const on = tools()
  let skippedMs = 0
  const timing = {
    ...on.timing,
    now: () => Date.now() + skippedMs,
    async sleep(ms: number) {
      skippedMs += ms
      await on.timing.sleep(ms)
    },
  }
  const { url: endpoint, region, credentials } = account.aws
  const { clients } = clientsFor({ endpoint, region, credentials })
  const error = await prepareStack(
    clients as unknown as Clients,
    { ...inputs, ...more },
    { ...on, timing },
  ).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  for (const client of Object.values(clients)) client.destroy()
  return { message: error?.message, lines: on.lines }
}

const denyCopies = () => account.aws.s3.store.deny({ action: 's3:PutObject', bucket: 'photos-new' })
/** Whether the stack's mappings poll, or are about to. */
const polling = () => [...account.aws.lambda.mappings.values()].map(({ state }) => /^Enabl/.test(state))

describe('when the functions can’t do what the run needs', () => {
  test('a stack that was created for it does not go on polling', async () => {
    denyCopies()
    const { message, lines } = await prepare()
    expect(message).toMatch(/can’t serve this run\. Nothing was sent/)
    expect(lines.at(-1)).toBe('The stack s3-71 is paused. It polls nothing until the next run.')
    expect(polling()).toEqual([false, false])
  })

  test('all that is in the way is told at once, of either function', async () => {
    denyCopies()
    account.aws.s3.store.deny({ action: 's3:ListBucket', bucket: 'photos-old' })
    const { message } = await prepare()
    expect(message).toMatch(/s3:ListBucket/)
    expect(message).toMatch(/can't write to s3:\/\/photos-new/)
  })

  test('a stack that was created for it stays as it is when it is to be kept', async () => {
    denyCopies()
    expect((await prepare({ afterRun: 'keep' })).message).toMatch(/can’t serve this run/)
    expect(polling()).toEqual([true, true])
  })

  test('a stack that was there before is left alone', async () => {
    expect((await prepare()).message).toBeUndefined()
    denyCopies()
    expect((await prepare()).message).toMatch(/can’t serve this run/)
    expect(polling()).toEqual([true, true])
  })
})
