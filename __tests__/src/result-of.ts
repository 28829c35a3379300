import type { Result } from '../../src/result.ts'
import { zero } from '../../src/totals.ts'

/** The result of a run that has copied all of its ten objects, but for what is said otherwise. */
export function resultOf(more: Partial<Result> = {}): Result {
  return {
    runId: '20260101-000000-abcd',
    mode: 'copy',
    ending: 'settled',
    runKey: undefined,
    budget: undefined,
    source: { bucket: 'from', prefix: '' },
    destination: { bucket: 'to', prefix: 'x/' },
    options: {},
    stackName: 's3-71',
    region: 'eu-west-1',
    totals: { ...zero(), listed: 10, copied: 10 },
    open: 0,
    dlqMessages: 0,
    nameless: 0,
    unlisted: [],
    failures: [],
    reportPath: '/tmp/failures.ndjson',
    deadLetterQueueUrl: 'https://sqs/dlq',
    durationMs: 286_000,
    samples: [],
    ...more,
  }
}
