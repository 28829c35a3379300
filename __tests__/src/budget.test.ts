import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isSpent, parseBudget, showBudget } from '../../src/budget.ts'
import { Ledger } from '../../src/ledger.ts'

const totals = (some: object) => ({ ...new Ledger(0).totals, ...some })

describe('a budget of failures', () => {
  test.each([
    ['', undefined],
    ['0', { objects: 0 }],
    ['100', { objects: 100 }],
    ['5%', { percent: 5 }],
    ['0.5%', { percent: 0.5 }],
    ['100%', { percent: 100 }],
  ])('%j is read', (text, budget) => {
    expect(parseBudget('max-failures', text)).toEqual(budget)
    if (budget) expect(parseBudget('max-failures', showBudget(budget))).toEqual(budget)
  })

  test.each(['x', '-1', '1.5', '101%', '%', '5 %', '1e3', '9'.repeat(99)])('%j is refused', (text) => {
    expect(() => parseBudget('max-failures', text)).toThrow(/^max-failures: ".*" must be a number of objects/)
  })

  test('of objects is spent by one more than it allows, failed or dead-lettered', () => {
    const budget = { objects: 5 }
    expect(isSpent(budget, totals({ failed: 3, deadObjects: 2 }))).toBe(false)
    expect(isSpent(budget, totals({ failed: 3, deadObjects: 3 }))).toBe(true)
  })

  test('of a share is not judged by the first few objects', () => {
    expect(isSpent({ percent: 50 }, totals({ failed: 999 }))).toBe(false)
    expect(isSpent({ percent: 50 }, totals({ failed: 1000 }))).toBe(true)
    expect(isSpent({ percent: 50 }, totals({ failed: 500, copied: 300, skipped: 100, vanished: 100 }))).toBe(
      false,
    )
  })

  test('of nothing is spent by the first failure, of everything never, and without one nothing is', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), (failed, copied) => {
        expect(isSpent({ objects: 0 }, totals({ failed, copied }))).toBe(failed > 0)
        expect(isSpent({ percent: 100 }, totals({ failed, copied }))).toBe(false)
        expect(isSpent(undefined, totals({ failed, copied }))).toBe(false)
      }),
    )
  })
})
