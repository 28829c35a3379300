import { describe, expect, test } from '@jest/globals'
import { failsStep, type Result, shortfalls, statusOf, tellGoingOn } from '../../src/result.ts'
import { zero } from '../../src/totals.ts'
import { resultOf } from './result-of.ts'

const totals = { ...zero(), listed: 10, copied: 10 }
const keyed = (more: Partial<Result>) => resultOf({ runKey: 'key', ...more })
const failed = { totals: { ...totals, copied: 9, failed: 1 } }

describe('status, and whether the step fails (by default, with fail-on-error: false)', () => {
  test.each<[string, Partial<Result>, string, boolean, boolean]>([
    ['all is copied', {}, 'succeeded', false, false],
    ['objects failed', failed, 'failed', true, false],
    ['it was left on purpose', { ending: 'left', open: 1 }, 'running', false, false],
    [
      'it was left on purpose, and objects have failed',
      { ending: 'left', ...failed },
      'running',
      false,
      false,
    ],
    ['the time is over', { ending: 'timed-out', open: 1 }, 'running', true, false],
    [
      'the time is over and nobody could attach',
      { ending: 'timed-out', runKey: undefined },
      'failed',
      true,
      true,
    ],
    ['credentials expired', { ending: 'unwatched', reason: 'Expired.' }, 'running', true, false],
    ['another watches', { ending: 'superseded', watcher: 'w' }, 'running', true, false],
    ['it stalled', { ending: 'stalled', open: 1 }, 'failed', true, true],
    ['no function takes its tasks', { ending: 'unfed', open: 1 }, 'failed', true, true],
    ['too much failed', { ending: 'over-budget', budget: { percent: 50 }, open: 1 }, 'failed', true, true],
    ['the job was cancelled', { ending: 'cancelled', open: 1 }, 'cancelled', true, true],
    ['it was ended elsewhere', { ending: 'stopped', open: 1 }, 'cancelled', true, true],
  ])('%s', (_, more, status, fails, failsAnyway) => {
    const result = keyed(more)
    expect(statusOf(result)).toBe(status)
    expect([failsStep(result, true), failsStep(result, false)]).toEqual([fails, failsAnyway])
    // A step never fails without saying why.
    if (fails) expect(shortfalls(result)).not.toEqual([])
  })
})

test('who can’t wait any longer is told how to attach, on one line whatever the key', () => {
  for (const ending of ['timed-out', 'unwatched'] as const) {
    const [line] = shortfalls(keyed({ ending, reason: 'No.', runKey: 'a\n::error::b' }))
    expect(line).toMatch(/goes on.*`run-key: "a/)
    expect(line).not.toMatch(/\n|^::/)
  }
  expect(tellGoingOn(keyed({ ending: 'left' }))).toContain('`run-key: key`')
  const watched = tellGoingOn(keyed({ ending: 'left', watcher: 'https://x/1', savedAt: 1_800_000_000_000 }))
  expect(watched).toContain('https://x/1')
  expect(watched).toContain('of its last checkpoint, saved at 2027-01-15T08:00:00.000Z')
})

test.each<[string, Partial<Result>, RegExp]>([
  ['a copy', {}, /Run again with `overwrite: if-newer` to copy the rest\. With the same inputs, everything/],
  ['a copy that overwrites nothing', { options: { overwrite: 'never' } }, /Run again to copy the rest\.$/],
  ['a redrive', { mode: 'redrive' }, /Redrive again: all tasks of this redrive/],
])('how to go on after %s that was cancelled is said', (_, more, text) => {
  expect(shortfalls(keyed({ ending: 'cancelled', open: 1, ...more })).join(' ')).toMatch(text)
})

test('a part that could not be listed takes a copy, also after a redrive, which leaves nothing to redrive', () => {
  const unlisted = [{ part: { prefix: '', ranges: [{}] }, code: 'AccessDenied', message: 'no' }]
  expect(shortfalls(keyed({ unlisted })).join(' ')).toMatch(/Fix the cause first\. Run again with/)
  expect(shortfalls(keyed({ unlisted, mode: 'redrive' })).join(' ')).toMatch(
    /Then run a copy, because another redrive/,
  )
  // What goes on may list it yet, or says itself how to go on.
  expect(
    shortfalls(keyed({ unlisted, ending: 'cancelled', open: 1 }))
      .join(' ')
      .match(/Run again/g),
  ).toHaveLength(1)
})

test('watching that broke off ends a run to which nobody can attach', () => {
  const result = keyed({ ending: 'unwatched', reason: 'No.', runKey: undefined })
  expect(statusOf(result)).toBe('failed')
  expect(failsStep(result, false)).toBe(true)
  // Its queue is deleted only after that is said, and with expired credentials it can't be.
  expect(shortfalls(result)[0]).toMatch(/No\. .*no checkpoints.* tries to stop it/)
  expect(shortfalls(result)[0]).not.toMatch(/was stopped/)
})

test('dead letters of a run in progress are redriven once it is over', () => {
  const dead = { totals: { ...totals, copied: 9, deadObjects: 1, deadTasks: 1 }, dlqMessages: 1 }
  const over = /Once the cause is fixed, a step with `mode: redrive` sends/
  const later = /Once this run is over and the cause is fixed, a step with `mode: redrive` sends/
  for (const ending of ['settled', 'cancelled'] as const)
    expect(shortfalls(keyed({ ending, ...dead })).join(' ')).toMatch(over)
  for (const ending of ['left', 'timed-out', 'superseded'] as const)
    expect(shortfalls(keyed({ ending, ...dead })).join(' ')).toMatch(later)
})

test('who leaves a run to another says of when its counts are', () => {
  const [line] = shortfalls(keyed({ ending: 'superseded', watcher: 'w', savedAt: 0 }))
  expect(line).toMatch(/watched by w\. These counts .* saved at 1970-01-01T00:00:00/)
})
