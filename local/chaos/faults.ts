import { setTimeout as delay } from 'node:timers/promises'
import type { Intercept, Fault as S3Fault } from '../s3/index.ts'
import type { SqsFaults } from '../sqs.ts'
import { Chances } from './chance.ts'
import { type Fault, S3_FAULTS, type Scenario } from './scenarios.ts'

const SLOW_MS = 1_500
/** Beyond the functions' timeout in the harness. */
const STUCK_MS = 30_000
const REORDERED_MS = 3_000
/** Longer than a lease, an outcome's visibility and the checkpoint after it. */
const DELAYED_MS = 70_000
/** Requests stuck in a round at most: each costs a whole function timeout. */
const MOST_STUCK = 3

/** After which the action tries again; the others end its watching. */
const PASSING_FAULTS = ['s3-500', 's3-slow-down', 's3-reset-before', 's3-reset-after'] as const

/** The faults of S3 and SQS in one round, and how many there were. */
export class Faults {
  readonly counts = new Map<Fault, number>()
  readonly #rates: Scenario['rates']
  readonly #chances: Chances
  readonly #buckets: ReadonlySet<string>
  readonly #checkpoints: string
  /** Whether the action's credentials have expired. */
  expired = false

  /**
   * @param buckets that the functions work on
   * @param checkpoints the bucket that the action keeps its checkpoints in
   */
  constructor(seed: number, round: number, rates: Scenario['rates'], buckets: string[], checkpoints = '') {
    this.#chances = new Chances(seed, round)
    this.#rates = rates
    this.#buckets = new Set(buckets)
    this.#checkpoints = checkpoints
  }

  count(fault: Fault): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1)
  }

  readonly s3: Intercept = async ({ operation, bucket, key, query }) => {
    if (bucket === this.#checkpoints) {
      const fault = this.#one(PASSING_FAULTS, [operation, key])
      return fault && S3[fault]
    }
    // Only what the functions do: the action's own look at the buckets comes before the run.
    if (!this.#buckets.has(bucket ?? '') || operation === 'HeadBucket') return undefined
    const request = [operation, key, query.get('start-after') ?? '', query.get('continuation-token') ?? '']
    if ((this.counts.get('timed-out') ?? 0) < MOST_STUCK && this.#happens('timed-out', request)) {
      await delay(STUCK_MS, undefined, { ref: false })
      return undefined
    }
    const fault = this.#one(S3_FAULTS, request)
    if (fault === 's3-slow') await delay(SLOW_MS * this.#chances.next('slow', ...request))
    return fault && S3[fault]
  }

  readonly sqs: SqsFaults = {
    intercept: ({ action, queue = '', entries }) => {
      if (this.expired && !queue.includes('Queue'))
        return action === 'ReceiveMessage' ? { kind: 'error', code: 'ExpiredToken', status: 403 } : undefined
      if (this.#happens('sqs-throttling', [action]))
        return { kind: 'error', code: 'RequestThrottled', status: 400 }
      if (this.#happens('sqs-500', [action])) return { kind: 'error', code: 'InternalError', status: 500 }
      if (action === 'GetQueueAttributes' && this.#happens('sqs-stale-counts', [queue]))
        return { kind: 'stale' }
      const refused = Array.from({ length: entries }, (_, index) => index).filter(() =>
        this.#happens('sqs-refused-entries', [action]),
      )
      return refused.length > 0 ? { kind: 'refused', entries: refused } : undefined
    },
    deliver: (queue) => {
      const late = () => {
        if (this.#happens('sqs-delayed', [queue])) return DELAYED_MS * this.#chances.next('late', queue) ** 2
        return this.#happens('sqs-reordering', [queue]) ? REORDERED_MS * this.#chances.next('late', queue) : 0
      }
      return this.#happens('sqs-duplicates', [queue]) ? [late(), REORDERED_MS] : [late()]
    },
  }

  #happens(fault: Fault, thing: (string | number)[]): boolean {
    const rate = this.#rates[fault]
    if (rate === undefined || this.#chances.next(fault, ...thing) >= rate) return false
    this.count(fault)
    return true
  }

  #one<F extends Fault>(faults: readonly F[], thing: (string | number)[]): F | undefined {
    return faults.find((fault) => this.#happens(fault, thing))
  }
}

const S3: Record<(typeof S3_FAULTS)[number], S3Fault | undefined> = {
  's3-500': { kind: 'error', code: 'InternalError' },
  's3-slow-down': { kind: 'error', code: 'SlowDown' },
  's3-reset-before': { kind: 'reset', when: 'before' },
  's3-reset-after': { kind: 'reset', when: 'after' },
  's3-slow': undefined,
  's3-truncated': { kind: 'truncated' },
  's3-error-in-200': { kind: 'error-in-200', code: 'InternalError' },
  's3-empty-200': { kind: 'error-in-200' },
  's3-expired-token': { kind: 'error', code: 'ExpiredToken' },
}
