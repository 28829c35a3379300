import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { type Harness, startHarness } from '../../local/chaos/harness.ts'
import { ROUNDS_ALONE, S3_FAULTS, type Scenario, SQS_FAULTS, scenario } from '../../local/chaos/scenarios.ts'

// `npm run chaos` plays more of this, also with workers that are killed and frozen, which takes minutes.
jest.setTimeout(300_000)

const SEED = 71

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(async () => {
  await harness.stop()
})

const each = (faults: readonly string[], rate: number) =>
  Object.fromEntries(faults.map((fault) => [fault, rate]))

test('counts are exact and the destination right though S3 and SQS fail in every way at once', async () => {
  const rates = { ...each(S3_FAULTS, 0.022), ...each(SQS_FAULTS, 0.05) }
  const round = { seed: SEED, number: 0, scenario: { name: 'mixed', rates }, objects: 500 }
  const { problems, outputs, faults } = await harness.play(round)
  expect(problems).toEqual([])
  expect(outputs).toMatchObject({ listed: '500', copied: '500', failed: '0', dlq: '0' })
  expect(faults.size).toBeGreaterThan(8)
})

test('an action that is killed leaves nothing that disturbs the run after it', async () => {
  const rates: Scenario['rates'] = { 'action-killed': 0.2, 'sqs-duplicates': 0.2, 'sqs-throttling': 0.1 }
  const round = { seed: SEED, number: 1, scenario: { name: 'killed', rates }, objects: 200 }
  const { problems, outputs, faults } = await harness.play(round)
  expect(problems).toEqual([])
  expect(outputs).toMatchObject({ listed: '200', copied: '200' })
  expect(faults.get('action-killed')).toBe(1)
})

test('a runner that is lost, post and all, costs no count: the next one attaches to its run', async () => {
  const rates: Scenario['rates'] = { 'runner-lost': 0.2, 'sqs-duplicates': 0.2, 's3-reset-after': 0.1 }
  const round = { seed: SEED, number: 2, scenario: { name: 'lost', rates }, objects: 400 }
  const { problems, outputs, faults } = await harness.play(round)
  expect(problems).toEqual([])
  expect(outputs).toMatchObject({ status: 'succeeded', listed: '400', copied: '400' })
  expect(faults.get('runner-lost')).toBe(1)
})

test('a seed decides the scenarios: none, each fault alone at 20 %, then mixtures', () => {
  expect(scenario(SEED, 0).rates).toEqual({})
  expect(scenario(SEED, 1).rates).toEqual({ 's3-500': 0.2 })
  expect(scenario(SEED, ROUNDS_ALONE - 1)).toEqual({
    name: 'dead-letters',
    rates: { killed: 0.2 },
    receives: 1,
  })
  expect(scenario(SEED, 40)).toEqual(scenario(SEED, 40))
  expect(scenario(SEED, 40)).not.toEqual(scenario(SEED, 41))
})
