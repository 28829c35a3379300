import type { LambdaClient } from '@aws-sdk/client-lambda'
import { describe, expect, test } from '@jest/globals'
import type { CheckEvent } from '../../../protocol/check.ts'
import { PROTOCOL } from '../../../protocol/message.ts'
import { UserError } from '../../../src/errors.ts'
import { checkFunction } from '../../../src/stack/preflight.ts'
import type { Tools } from '../../../src/stack/tools.ts'
import { sleptTiming } from '../../support/timing.ts'

const RUN = { source: { bucket: 'from', prefix: '' }, destination: { bucket: 'to', prefix: '' } }

/** What Lambda throws where it has no room for a function. */
const full = {
  thrown: Object.assign(new Error('Rate Exceeded.'), {
    name: 'TooManyRequestsException',
    Reason: 'ConcurrentInvocationLimitExceeded',
  }),
}

/** A Lambda that answers this, in turn and then the last again, and what is logged meanwhile. */
function setUp(...answers: ({ error?: boolean; payload: object } | { thrown: Error })[]) {
  const lines: string[] = []
  let asked = 0
  const lambda = {
    send: async () => {
      const answer = answers[Math.min(asked++, answers.length - 1)] as (typeof answers)[number]
      if ('thrown' in answer) throw answer.thrown
      const { error, payload } = answer
      return { Payload: Buffer.from(JSON.stringify(payload)), ...(error && { FunctionError: 'Unhandled' }) }
    },
  } as unknown as LambdaClient
  const timing = sleptTiming()
  const log = { info: (line: string) => lines.push(line), warning: (line: string) => lines.push(line) }
  const tools = { timing, log } as unknown as Tools
  return {
    check: (fresh = false, run: CheckEvent['check'] = RUN) => checkFunction(lambda, 'f', run, fresh, tools),
    lines,
    asked: () => asked,
    now: timing.now,
  }
}

const fine = { payload: { protocol: PROTOCOL, problems: [] } }
const killed = { error: true, payload: { errorType: 'Runtime.ExitError', errorMessage: 'signal: killed' } }

describe('the check of a run', () => {
  test('asks again when the function died under it', async () => {
    await setUp(killed, killed, fine).check()
  })

  test('takes a function that keeps dying for broken', async () => {
    const { check, asked } = setUp(killed)
    await expect(check()).rejects.toThrow(/outdated or broken.*Runtime\.ExitError/)
    expect(asked()).toBe(3)
  })

  test('does not ask again when the function’s own code fails', async () => {
    const { check, asked } = setUp({ error: true, payload: { errorType: 'Error' } })
    await expect(check()).rejects.toThrow(/outdated or broken/)
    expect(asked()).toBe(1)
  })

  test('waits for room where Lambda has none for the function', async () => {
    const { check, asked, lines } = setUp(full, full, full, full, fine)
    await check()
    expect(asked()).toBe(5)
    expect(lines[0]).toMatch(
      /no room for the function f \(ConcurrentInvocationLimitExceeded: Rate Exceeded\./,
    )
  })

  test('says after a minute without room what takes it and what to do', async () => {
    const { check, now } = setUp(full)
    const error = await check().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UserError)
    expect(error).toHaveProperty('message', expect.stringMatching(/function f .*concurrency.*higher quota/))
    expect(now()).toBeGreaterThanOrEqual(60_000)
    expect(now()).toBeLessThanOrEqual(70_000)
  })

  test('does not wait where the function may not be invoked', async () => {
    const denied = Object.assign(new Error('no'), { name: 'AccessDeniedException' })
    const { check, asked } = setUp({ thrown: denied })
    await expect(check()).rejects.toBe(denied)
    expect(asked()).toBe(1)
  })

  test('warns of prefixes that no object begins with, as far as the step gave any', async () => {
    const empty = ['2023/', '::x\n']
    const { check, lines } = setUp({ payload: { protocol: PROTOCOL, problems: [], empty } })
    await check()
    expect(lines).toEqual([])
    await check(false, { ...RUN, prefixes: ['2022/', ...empty] })
    expect(lines).toEqual([
      'prefixes: no object begins with s3://from/2023/, s3://from/::x\\u{a}. Check these lines.',
    ])
  })

  test('trusts new rights only when they have held for ten seconds: S3’s hosts learn of them one by one', async () => {
    const denied = { payload: { protocol: PROTOCOL, problems: ['destination: no right to write'] } }
    const { check, asked, now } = setUp(fine, fine, denied, fine)
    await check(true)
    expect(asked()).toBe(6)
    expect(now()).toBe(25_000)
  })

  test('says once what is in the way while new rights spread, however long that takes', async () => {
    const denied = { payload: { protocol: PROTOCOL, problems: ['destination: no right to write'] } }
    const { check, lines, asked } = setUp(denied, denied, denied, fine)
    await check(true)
    expect(asked()).toBe(6)
    expect(lines).toEqual([expect.stringMatching(/no right to write.*a minute/)])
  })

  test('shows what S3 said on one line of the log, without a workflow command in it', async () => {
    const hostile = 'AccessDenied: \n::add-mask::photos ##[set-env name=PATH]x'
    const problem = { payload: { protocol: PROTOCOL, problems: [hostile] } }
    const { check, lines } = setUp(problem, fine)
    await check(true)
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toMatch(/\n|##\[/)
    await expect(setUp(problem).check()).rejects.toThrow(/^[^\n]*\n- AccessDenied: ::add-mask::[^\n]*$/)
  })
})
