import { printable } from './text.ts'
import type { Totals } from './totals.ts'

/** How many objects may fail before a run is stopped: so many, or so many of a hundred. */
export type Budget = { objects: number } | { percent: number }

/** A share is judged from so many objects on, as S3 Batch Operations does (S3 user guide, "Tracking job failure"). */
const LEAST_OBJECTS = 1000

/** Reads `100` or `5%`; empty is no budget. Throws an error that begins with the input's name. */
export function parseBudget(input: string, text: string): Budget | undefined {
  if (text === '') return undefined
  const [, digits, percent] = /^(\d{1,15}(?:\.\d{1,3})?)(%?)$/.exec(text) ?? []
  const value = Number(digits)
  if (percent === '%' && value <= 100) return { percent: value }
  if (percent === '' && Number.isInteger(value)) return { objects: value }
  throw new Error(
    `${input}: "${printable(text.slice(0, 40))}" must be a number of objects, such as 100, or a share, such as 5%`,
  )
}

/** Whether more has failed than the budget allows. */
export function isSpent(budget: Budget | undefined, totals: Totals): boolean {
  if (!budget) return false
  const failed = totals.failed + totals.deadObjects
  if ('objects' in budget) return failed > budget.objects
  const done = failed + totals.copied + totals.skipped + totals.vanished
  return done >= LEAST_OBJECTS && failed > (done * budget.percent) / 100
}

/** The budget as the input has it. */
export function showBudget(budget: Budget): string {
  return 'objects' in budget ? String(budget.objects) : `${budget.percent}%`
}
