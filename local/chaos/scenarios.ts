import { chance } from './chance.ts'

/** What S3 does to a request. */
export const S3_FAULTS = [
  's3-500',
  's3-slow-down',
  's3-reset-before',
  's3-reset-after',
  's3-slow',
  's3-truncated',
  's3-error-in-200',
  's3-empty-200',
  's3-expired-token',
] as const
/** What SQS does to a request or a message. */
export const SQS_FAULTS = [
  'sqs-duplicates',
  'sqs-reordering',
  'sqs-delayed',
  'sqs-refused-entries',
  'sqs-throttling',
  'sqs-500',
  'sqs-stale-counts',
] as const
/** What becomes of instances at work: `out-of-memory` fills the heap up to its limit. */
export const WORKER_FAULTS = ['killed', 'out-of-memory', 'frozen', 'timed-out'] as const
/** What becomes of the action itself; of a runner that is lost, 'post' is lost as well. */
export const ACTION_FAULTS = ['action-killed', 'action-expired', 'runner-lost'] as const

/** What people do to a stack while a run is going on; played by name only, for it takes minutes until that is found. */
const PEOPLE_FAULTS = ['copy-queue-purged'] as const

export type Fault =
  | (typeof S3_FAULTS)[number]
  | (typeof SQS_FAULTS)[number]
  | (typeof WORKER_FAULTS)[number]
  | (typeof ACTION_FAULTS)[number]
  | (typeof PEOPLE_FAULTS)[number]

/** The faults of one round: how likely each is, 0 to 0.2. */
export type Scenario = {
  name: string
  rates: Partial<Record<Fault, number>>
  /** How often a task is received before it goes to the DLQ, where that is not as often as in template.yaml. */
  receives?: number
}

const ALL: readonly Fault[] = [...S3_FAULTS, ...SQS_FAULTS, ...WORKER_FAULTS, ...ACTION_FAULTS]
const MOST = 0.2

/** What is played before the mixtures: each fault alone, and one that certainly leaves dead letters. */
const ALONE: readonly Scenario[] = [
  ...ALL.map((fault) => ({ name: fault, rates: { [fault]: MOST } })),
  { name: 'dead-letters', rates: { killed: MOST }, receives: 1 },
]

/** The scenario of a round: first none, then each fault alone at 20 %, then mixtures that the seed decides. */
export function scenario(seed: number, round: number): Scenario {
  if (round === 0) return { name: 'no faults', rates: {} }
  const alone = ALONE[round - 1]
  if (alone) return alone
  // Rates add up over the faults of a kind, so that S3 and SQS each fail in a fifth of all cases at most.
  const rates: Scenario['rates'] = {}
  for (const group of [S3_FAULTS, SQS_FAULTS, WORKER_FAULTS] as const) {
    const chosen = group.filter((fault) => chance(seed, round, fault) < 0.5)
    for (const fault of chosen) rates[fault] = (MOST * chance(seed, round, fault, 'rate')) / chosen.length
  }
  const action = chance(seed, round, 'action')
  if (action < 0.15) rates['action-killed'] = MOST
  else if (action < 0.3) rates['runner-lost'] = MOST
  else if (action < 0.4) rates['action-expired'] = MOST
  return { name: 'mixed', rates, ...(chance(seed, round, 'receives') < 0.5 && { receives: 2 }) }
}

/** How many rounds it takes until every fault has had its turn alone. */
export const ROUNDS_ALONE = ALONE.length + 1

/** A scenario by the name of its fault; undefined when there is no such fault. */
export function scenarioNamed(name: string): Scenario | undefined {
  const people = PEOPLE_FAULTS.map((fault) => ({ name: fault, rates: { [fault]: MOST } }))
  return [...ALONE, ...people].find((it) => it.name === name)
}
