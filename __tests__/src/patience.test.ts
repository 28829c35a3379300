import { ListQueuesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isPassing, Patience } from '../../src/patience.ts'

/** An error as the SDK throws it. */
const sdk = (name: string, httpStatusCode?: number) =>
  Object.assign(new Error('no'), { name, $metadata: { httpStatusCode } })
const network = (code: string) => Object.assign(new Error('no'), { code, $metadata: { attempts: 10 } })

const PASSING = [
  sdk('InternalError', 500),
  sdk('ServiceUnavailable', 503),
  sdk('RequestThrottled', 400),
  sdk('ThrottlingException', 400),
  sdk('TooManyRequests', 429),
  Object.assign(new SyntaxError('<html>'), { $response: { statusCode: 502 } }),
  sdk('TimeoutError'),
  ...['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH'].map(network),
]
const LASTING = [
  sdk('AccessDenied', 403),
  sdk('ExpiredToken', 403),
  sdk('InvalidClientTokenId', 403),
  sdk('QueueDoesNotExist', 400),
  sdk('ReceiptHandleIsInvalid', 404),
  Object.assign(new Error('no'), { name: 'CredentialsProviderError' }),
  Object.assign(new Error('no'), { name: 'AbortError' }),
  network('ERR_INVALID_ARG_TYPE'),
  new TypeError('a mistake of ours'),
  'no error at all',
]

test.each(PASSING)('%p passes', (error) => {
  expect(isPassing(error)).toBe(true)
})

test.each(LASTING)('%p stays', (error) => {
  expect(isPassing(error)).toBe(false)
})

/** A client that fails in these ways first, on a clock that moves when it waits. */
function setUp(failures: unknown[], { random = 0, until = Number.POSITIVE_INFINITY } = {}) {
  const left = [...failures]
  const warnings: string[] = []
  let now = 0
  const sqs = {
    send: async () => {
      if (left.length > 0) throw left.shift()
      return { QueueUrls: ['a'] }
    },
  }
  const patience = new Patience(sqs as unknown as SQSClient, {
    timing: {
      now: () => now,
      sleep: async (ms) => {
        now += ms
      },
      random: () => random,
    },
    worthwhile: () => now < until,
    onWarning: (message) => warnings.push(message),
  })
  return { patience, warnings, left, now: () => now }
}
const ask = ({ patience }: ReturnType<typeof setUp>) => patience.sqs.send(new ListQueuesCommand({}))

test('a call that is answered costs no time and no words', async () => {
  const all = setUp([])
  expect(await ask(all)).toEqual({ QueueUrls: ['a'] })
  expect([all.now(), all.patience.backAt, all.warnings]).toEqual([0, 0, []])
})

test('however often a call fails for a passing reason, it is answered in the end, after pauses of at most 30 s', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...PASSING), { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async (failures, random) => {
        const all = setUp(failures, { random })
        expect(await ask(all)).toEqual({ QueueUrls: ['a'] })
        expect(all.patience.backAt).toBe(all.now())
        expect(all.now()).toBeGreaterThanOrEqual(500)
        expect(all.now()).toBeLessThanOrEqual(30_000 * failures.length)
        expect(new Set(all.warnings).size).toBeLessThanOrEqual(PASSING.length)
      },
    ),
  )
})

test('a reason that stays ends it wherever it comes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...PASSING), { maxLength: 20 }),
      fc.constantFrom(...LASTING),
      async (failures, last) => {
        const all = setUp([...failures, last, ...PASSING])
        await expect(ask(all)).rejects.toBe(last)
        expect(all.left).toHaveLength(PASSING.length)
      },
    ),
  )
})

test('gives up within a second of when there is nothing to wait for', async () => {
  const failures = Array.from({ length: 500 }, () => PASSING[0])
  const all = setUp(failures, { until: 100_000 })
  await expect(ask(all)).rejects.toBe(PASSING[0])
  expect(all.now()).toBeGreaterThanOrEqual(100_000)
  expect(all.now()).toBeLessThanOrEqual(101_000)
})
