import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { describe, expect, test } from '@jest/globals'
import { Chances } from '../../local/chaos/chance.ts'
import { Faults } from '../../local/chaos/faults.ts'
import { violations } from '../../local/chaos/verdict.ts'
import { disturbWorkers } from '../../local/chaos/workers.ts'
import { startAws } from '../../local/index.ts'
import type { StepResult } from '../../local/runner.ts'
import { putFunction, until } from './support.ts'

const step = (outputs: Record<string, number>, exitCode = 0): StepResult => ({
  exitCode,
  outputs: Object.fromEntries(
    Object.entries({
      listed: 0,
      copied: 0,
      skipped: 0,
      vanished: 0,
      failed: 0,
      dlq: 0,
      'dlq-objects': 0,
      ...outputs,
    }).map(([name, value]) => [name, String(value)]),
  ),
  summary: '',
  state: {},
  log: '',
})

/** A harness that finds nothing wrong with anything would find nothing. */
describe('the verdict on a run', () => {
  const whole = { source: 3, missing: [], strange: [] }

  test('has nothing against exact counts, with or without failures', () => {
    expect(violations(step({ listed: 3, copied: 3 }), whole, [])).toEqual([])
    expect(violations(step({ listed: 3, copied: 2, skipped: 1 }), whole, [])).toEqual([])
    const broken = { ...whole, missing: ['a', 'b'] }
    const counts = { listed: 3, copied: 1, failed: 1, dlq: 1, 'dlq-objects': 1 }
    expect(violations(step(counts, 1), broken, ['a', 'b'])).toEqual([])
  })

  test('of a run that tasks were taken from wants a stall that tells how much is missing', () => {
    const stalled = { ...step({ listed: 3, copied: 1 }, 1), log: 'the queues have been empty for minutes' }
    const broken = { ...whole, missing: ['a', 'b'] }
    expect(violations(stalled, broken, [], true)).toEqual([])
    expect(violations(stalled, broken, [])).not.toEqual([])
    expect(violations({ ...stalled, log: '' }, broken, [], true)).not.toEqual([])
    expect(violations(stalled, { ...whole, missing: ['a'] }, [], true)).not.toEqual([])
    expect(violations(step({ listed: 3, copied: 3 }), whole, [], true)).not.toEqual([])
  })

  test.each([
    ['counts that do not add up', step({ listed: 3, copied: 2 }), whole, []],
    ['a key that was not listed', step({ listed: 2, copied: 2 }), whole, []],
    [
      'an object counted as copied that is not there',
      step({ listed: 3, copied: 3 }),
      { ...whole, missing: ['a'] },
      [],
    ],
    ['an object that is there and not counted', step({ listed: 3, copied: 2, vanished: 1 }), whole, []],
    ['an object that came from nowhere', step({ listed: 3, copied: 3 }), { ...whole, strange: ['x'] }, []],
    [
      'a failure that the report lacks',
      step({ listed: 3, copied: 2, failed: 1 }, 1),
      { ...whole, missing: ['a'] },
      [],
    ],
    [
      'a failure that is reported of another object',
      step({ listed: 3, copied: 2, failed: 1 }, 1),
      { ...whole, missing: ['a'] },
      ['b'],
    ],
    ['an object reported twice', step({ listed: 3, copied: 1, failed: 2 }, 1), whole, ['a', 'a']],
    [
      'a failure that passes for success',
      step({ listed: 3, copied: 2, failed: 1 }),
      { ...whole, missing: ['a'] },
      ['a'],
    ],
    ['a run without outputs', { ...step({}), outputs: {} }, whole, []],
  ])('finds %s', (_, result, sides, reported) => {
    expect(violations(result, sides, reported)).not.toEqual([])
  })
})

test('chances depend on the seed, the thing and how often it came, not on the order of things', () => {
  const [a, b, other] = [new Chances(1), new Chances(1), new Chances(2)]
  const first = [a.next('x'), a.next('x'), a.next('y')]
  const y = b.next('y')
  expect([b.next('x'), b.next('x'), y]).toEqual(first)
  expect(new Set(first).size).toBe(3)
  expect(other.next('x')).not.toBe(first[0])
})

test('a worker that is to be out of memory really is', async () => {
  const aws = await startAws()
  const name = 'waits'
  await putFunction(
    aws,
    name,
    `export const handler = () => new Promise((done) => setTimeout(done, 60_000))`,
    {
      timeout: 60,
    },
  )
  const faults = new Faults(0, 0, {}, [])
  const stop = disturbWorkers(aws.lambda, [name], { 'out-of-memory': 1 }, faults, [1])
  const lambda = new LambdaClient({ endpoint: aws.url, region: aws.region, credentials: aws.credentials })
  try {
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: name }))
    expect(JSON.parse(Payload?.transformToString() ?? '')).toMatchObject({ errorType: 'Runtime.ExitError' })
    expect(faults.counts.get('out-of-memory')).toBeGreaterThan(0)
    await until('the reason is in the log', () =>
      aws.lambda.logs(name).some((line) => line.includes('heap out of memory')),
    )
  } finally {
    stop()
    lambda.destroy()
    await aws.stop()
  }
}, 60_000)
