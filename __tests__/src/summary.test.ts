import { describe, expect, test } from '@jest/globals'
import { renderSummary } from '../../src/summary.ts'
import { zero } from '../../src/totals.ts'
import { resultOf } from './result-of.ts'

const million = { ...zero(), listed: 1_000_000, copied: 1_000_000, bytes: 3 * 2 ** 40 }
const good = resultOf({ totals: million })
const hostile = 'a|b\n::error::x <script>alert(1)</script> **b** \u202e'

describe('the job summary', () => {
  test('of a good run: totals, throughput, and nothing to look into', () => {
    const text = renderSummary(good)
    expect(text).toMatch(/^## ✅ S3 copy: 1,000,000 of 1,000,000 objects in 4m 46s/)
    expect(text).toContain('| Throughput | **3,497 objects/s, 10.7 GiB/s** |')
    expect(text).not.toContain('Failures')
    expect(text).not.toContain('dead-letter queue')
  })

  test('of a run that found nothing: says so', () => {
    const nothing = { ...good, source: { bucket: 'from', prefix: 'phtos/' }, totals: zero() }
    expect(renderSummary(nothing)).toContain('No object was found under s3&#58;//from/phtos/')
    const redrive = renderSummary({ ...nothing, mode: 'redrive' })
    expect(redrive).toMatch(/^## ✅ S3 redrive: 0 of 0 objects/)
    expect(redrive).toContain('No object was redriven')
    expect(renderSummary({ ...nothing, dlqMessages: 1 })).not.toContain('No object')
    expect(renderSummary(good)).not.toContain('No object')
  })

  test('of a run that found all there already: says that it was skipped', () => {
    const text = renderSummary(resultOf({ totals: { ...zero(), listed: 500, skipped: 500 } }))
    expect(text).toMatch(/^## ✅ S3 copy: 0 of 500 objects, 500 skipped, in 4m 46s\n/)
  })

  test('of failures: shows S3’s reason to its end, and that the report goes with the job', () => {
    const message =
      'User: arn:aws:sts::111122223333:assumed-role/s3-71-CopyFunctionRole-AbCdEfGhIjKl/s3-71-copy is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::photos-new/archive/2024/01/IMG_0001.jpg" because no permissions boundary allows the s3:PutObject action'
    const failure = { key: 'k', code: 'AccessDenied', message }
    const text = renderSummary({
      ...good,
      failures: [{ code: 'AccessDenied', count: 1, examples: [failure] }],
      unlisted: [{ part: { prefix: '', ranges: [{}] }, ...failure }],
    })
    expect(
      text.match(/because no permissions boundary allows the s3&#58;PutObject action \|$/gm),
    ).toHaveLength(2)
    expect(text).toMatch(/failures\.ndjson on the runner\. .* `report`\.$/m)
    const unlisted = [{ part: { prefix: '', ranges: [{}] }, ...failure }]
    expect(renderSummary({ ...good, unlisted })).toContain('CloudWatch')
  })

  test('of a source that could not be listed at all: says so in the row', () => {
    const all = { part: { prefix: '', ranges: [{}] }, code: 'AccessDenied', message: 'no' }
    expect(renderSummary({ ...good, unlisted: [all] })).toContain('| All keys |  |  | AccessDenied&#58; no |')
  })

  test('of a run of which the samples are unevenly spread: its course is drawn over even times', () => {
    const samples = [0, 10, 20, 30, 1000, 2000].map((seconds) => ({
      elapsedMs: seconds * 1000,
      copied: seconds * 100,
    }))
    const text = renderSummary({ ...good, samples })
    expect(text).toContain('x-axis "seconds" 0 --> 2000')
    expect(text).toContain('line [0, 40000, 80000, 120000, 160000, 200000]')
  })

  test('of a bad run: says what is wrong, the failures by code, and where to look', () => {
    const text = renderSummary({
      ...good,
      totals: { ...good.totals, copied: 999_000, failed: 998, deadObjects: 2, deadTasks: 1 },
      dlqMessages: 1,
      unlisted: [{ part: { prefix: '', ranges: [{ after: 'a' }] }, code: 'AccessDenied', message: 'no' }],
      failures: [
        { code: 'AccessDenied', count: 990, examples: [{ key: 'k1', code: 'AccessDenied', message: 'no' }] },
        { code: 'NoSuchKey', count: 8, examples: [{ key: 'k2', code: 'NoSuchKey', message: 'gone' }] },
      ],
    })
    expect(text).toMatch(/^## ❌/)
    expect(text).toContain('998 objects could not be copied')
    expect(text).toContain('1 task with 2 objects went to the dead-letter queue')
    expect(text).toMatch(/\| AccessDenied \| 990 \| k1: no \|/)
    expect(text).toContain('| a |  |  | AccessDenied&#58; no |')
    expect(text).toContain('CloudWatch: /aws/lambda/s3-71-list and /aws/lambda/s3-71-copy.')
    expect(renderSummary(good)).not.toContain('CloudWatch')
  })

  test.each(['timed-out', 'cancelled', 'stalled'] as const)(
    'of a run that %s names the tasks left open',
    (ending) => {
      const text = renderSummary({ ...good, totals: { ...good.totals, copied: 999_700 }, ending, open: 12 })
      expect(text).toMatch(/> The .* with 12 tasks open &#40;300 objects&#41;/)
      expect(text).toContain('| Left open | **300 (12 tasks)** |')
    },
  )

  test('of a run that goes on says so, and how to see its end', () => {
    const left = renderSummary({ ...good, ending: 'left', runKey: 'migrate <b>', open: 12 })
    expect(left).toMatch(/^## ⏳ S3 copy: .*, in progress\n/)
    expect(left).toContain('run-key&#58; &#34;migrate')
    expect(left).not.toContain('<b>')
    const late = renderSummary({ ...good, ending: 'timed-out', runKey: 'k', open: 12 })
    expect(late).toMatch(/^## ⏳ S3 copy: .*, timed out\n/)
    expect(late).toMatch(/> The run is not complete.* 12 tasks open/)
  })

  test('keys and messages can’t break its tables, start HTML, or turn the text around', () => {
    const text = renderSummary({
      ...good,
      source: { bucket: 'from', prefix: hostile },
      unlisted: [
        {
          part: { prefix: hostile, ranges: [{ after: hostile, upTo: hostile }] },
          code: hostile,
          message: hostile,
        },
      ],
      failures: [{ code: hostile, count: 1, examples: [{ key: hostile, code: hostile, message: hostile }] }],
    })
    expect(text).not.toMatch(/<script|\*\*b\*\*|\u202e|^::/m)
    const row = text.split('\n').find((line) => line.includes('script') && line.startsWith('|')) as string
    expect(row.split('|')).toHaveLength(5)
  })

  test('stays far below GitHub’s 1 MiB, however many codes and however long the keys', () => {
    const key = '<'.repeat(1024)
    const failures = Array.from({ length: 5000 }, (_, index) => ({
      code: `Code${index}`,
      count: 3,
      examples: [1, 2, 3].map(() => ({ key, code: 'x', message: key })),
    }))
    const unlisted = Array.from({ length: 5000 }, () => ({
      part: { prefix: key, ranges: [{ after: key, upTo: key }] },
      code: key,
      message: key,
    }))
    const samples = Array.from({ length: 200 }, (_, index) => ({
      elapsedMs: index * 1e6,
      copied: index * 1e7,
    }))
    const text = renderSummary({ ...good, failures, unlisted, samples })
    expect(Buffer.byteLength(text)).toBeLessThan(512 * 1024)
    expect(text).toContain('4980 more codes')
  })

  test('shows the course of a run that was long enough to have one', () => {
    const samples = [0, 1, 2, 3].map((n) => ({ elapsedMs: n * 10_000, copied: n * 5_000 }))
    expect(renderSummary({ ...good, samples })).toContain('line [0, 5000, 10000, 15000]')
    const none = samples.map((sample) => ({ ...sample, copied: 0 }))
    expect(renderSummary({ ...good, samples: none })).not.toContain('line [')
  })
})
