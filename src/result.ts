import type { Unlisted } from '../protocol/outcome.ts'
import type { Options, Place } from '../protocol/run.ts'
import { type Budget, showBudget } from './budget.ts'
import type { Mode } from './checkpoint/run-key.ts'
import type { FailureGroup } from './failures.ts'
import { counted } from './format.ts'
import { showPlace } from './location.ts'
import type { Sample } from './progress.ts'
import { printable } from './text.ts'
import { type Totals, unsettled } from './totals.ts'
import type { Ending } from './watch.ts'

/** Said before the run queue is deleted, which may fail: with expired credentials it does. */
const STOPPING =
  'No step can attach to the run, because it has no checkpoints, so the action tries to stop it.'

/** All that is to be said of a run when it is over. */
export type Result = {
  runId: string
  mode: Mode
  /** `unwatched`: the watching broke off, for the reason given. */
  ending: Ending | 'unwatched'
  reason?: string
  /** Who watches the run, when that is not this step. */
  watcher?: string
  /** When the checkpoint was saved that the counts are of, where this step has not counted: milliseconds since the epoch. */
  savedAt?: number
  /** By which others can attach to the run; undefined when it has no checkpoints. */
  runKey: string | undefined
  budget: Budget | undefined
  source: Place
  destination: Place
  options: Options
  stackName: string
  region: string
  totals: Totals
  /** Tasks not settled when the run ended. */
  open: number
  dlqMessages: number
  /** Messages in the DLQ that name no run. */
  nameless: number
  unlisted: Unlisted[]
  failures: FailureGroup[]
  reportPath: string
  deadLetterQueueUrl: string
  durationMs: number
  samples: Sample[]
}

/** What a later step can go by. */
export type Status = 'running' | 'succeeded' | 'failed' | 'cancelled'

/** `running` only where somebody can go on with the run: it has checkpoints, or another step watches it. */
export function statusOf(result: Result): Status {
  switch (result.ending) {
    case 'settled':
      return shortfalls(result).length === 0 ? 'succeeded' : 'failed'
    case 'left':
    case 'superseded':
      return 'running'
    case 'unwatched':
    case 'timed-out':
      return result.runKey === undefined ? 'failed' : 'running'
    case 'stalled':
    case 'unfed':
    case 'over-budget':
      return 'failed'
    case 'cancelled':
    case 'stopped':
      return 'cancelled'
  }
}

/** Whether a step fails with this result. With `fail-on-error: false`, only when the run was cut short. */
export function failsStep(result: Result, failOnError: boolean): boolean {
  const status = statusOf(result)
  if (status === 'cancelled' || (status === 'failed' && result.ending !== 'settled')) return true
  // Left running as it was asked for; what has failed by then is for whoever sees the end.
  if (result.ending === 'left') return false
  return failOnError && status !== 'succeeded'
}

/** What is to be said of a run that was left running. */
export function tellGoingOn(result: Result): string {
  const { watcher, savedAt } = result
  if (!watcher) return `The run goes on. ${howToAttach(result)}`
  const since =
    savedAt === undefined
      ? ''
      : ` These counts are those of its last checkpoint, saved at ${new Date(savedAt).toISOString()}.`
  return `The run goes on, watched by ${printable(watcher)}.${since}`
}

/** How to see a run to its end that goes on; on one line. */
function howToAttach({ runKey = '' }: Pick<Result, 'runKey'>): string {
  return `To see it to its end, run this job again, or another job with the same inputs and \`run-key: ${/^[\w./-]+$/.test(runKey) ? runKey : printable(JSON.stringify(runKey))}\`.`
}

/** Why a run is not a success, most important first; empty when it is one. */
export function shortfalls(result: Result): string[] {
  const { ending, totals, dlqMessages, unlisted, runKey, reason } = result
  const lines: string[] = []
  const open = stillOpen(result)
  if (ending === 'timed-out' && runKey === undefined)
    lines.push(`The step reached its timeout with ${open}. ${STOPPING}`)
  else if (ending === 'timed-out')
    lines.push(`The run is not complete: the step reached its timeout with ${open}. ${goesOn(result)}`)
  if (ending === 'unwatched' && runKey === undefined)
    lines.push(`This step can’t watch the run any longer, with ${open}: ${reason} ${STOPPING}`)
  else if (ending === 'unwatched') lines.push(`The run is not complete: ${reason} ${goesOn(result)}`)
  if (ending === 'superseded') lines.push(`The run is not complete. ${tellGoingOn(result)}`)
  if (ending === 'stopped')
    lines.push(
      `The run was ended by another step or by hand: its queue, its checkpoint or the stack is gone. This step last saw ${open}. The functions drop what is left.`,
    )
  if (ending === 'cancelled')
    lines.push(`The run was cancelled with ${open}. Objects copied so far stay. ${runAgain(result)}`)
  if (ending === 'stalled')
    lines.push(
      `The run has stalled with ${open}: the queues have been empty for minutes, so no function is working on these tasks. Perhaps the queues were purged, or messages were older than the queues keep them. ${runAgain(result)}`,
    )
  if (ending === 'unfed')
    lines.push(
      `The run has stalled with ${open}: tasks wait in the queues, but no function has taken one for half an hour. Check the state of the stack’s event source mappings, and whether Lambda throttles the functions. ${runAgain(result)}`,
    )
  if (ending === 'over-budget' && result.budget)
    lines.push(
      `The run was stopped early, with ${open}: more objects failed than \`max-failures: ${showBudget(result.budget)}\` allows${mostly(result)}. Objects copied so far stay. Fix the cause first. ${runAgain(result)}`,
    )
  if (totals.failed > 0) lines.push(`${counted(totals.failed, 'object')} could not be copied.`)
  if (dlqMessages > 0)
    lines.push(
      `${counted(dlqMessages, 'task')} with ${counted(totals.deadObjects, 'object')} went to the dead-letter queue. ${howToRedrive(result)}`,
    )
  const missing = unlisted.reduce((sum, { part }) => sum + part.ranges.length, 0)
  if (missing > 0)
    lines.push(
      `${counted(missing, 'part')} of the source could not be listed, so objects may be missing.${ending === 'settled' ? ` Fix the cause first. ${listAgain(result)}` : ''}`,
    )
  return lines
}

/** Said of a run that succeeds and has found nothing: it may be meant so, or a place be mistyped. */
export function foundNothing(result: Result): string | undefined {
  const { mode, totals, source } = result
  if (statusOf(result) !== 'succeeded' || totals.listed > 0) return undefined
  if (mode === 'redrive')
    return 'No object was redriven. Check that `source` and `destination` are those of the run that left the dead letters.'
  return `No object was found under ${showPlace(source)}. Check the prefix and \`prefixes\`.`
}

/** Messages in the dead-letter queue that are nobody's. */
export function messagesWithoutRun(count: number): string {
  return `${counted(count, 'message')} that ${count === 1 ? 'names' : 'name'} no run`
}

/** A redrive leaves the tasks of runs in progress alone. */
function howToRedrive(result: Result): string {
  const isOver = result.ending === 'settled' || statusOf(result) !== 'running'
  return `Once ${isOver ? '' : 'this run is over and '}the cause is fixed, a step with \`mode: redrive\` sends them again.`
}

/** A run copies over what is there unless it is told not to. */
function runAgain({ mode, options }: Result): string {
  if (mode === 'redrive')
    return 'Redrive again: all tasks of this redrive are still in the dead-letter queue. Objects that were copied are copied again.'
  return options.overwrite
    ? 'Run again to copy the rest.'
    : 'Run again with `overwrite: if-newer` to copy the rest. With the same inputs, everything is copied again.'
}

/** A redrive that is complete has left nothing of what it began with in the dead-letter queue. */
function listAgain(result: Result): string {
  return result.mode === 'redrive'
    ? 'Then run a copy, because another redrive would not find these objects.'
    : runAgain(result)
}

/** What is not settled of a run. An open list task holds objects that nobody knows yet as well. */
function stillOpen({ open, totals }: Result): string {
  const objects = unsettled(totals)
  return `${counted(open, 'task')} open${objects > 0 ? ` (${counted(objects, 'object')})` : ''}`
}

function goesOn(result: Result): string {
  return `The run goes on without this step. ${howToAttach(result)}`
}

/** The commonest code, which is likely to be the cause; a word, so that it needs no escaping. */
function mostly({ failures }: Result): string {
  const [first] = failures.toSorted((a, b) => b.count - a.count)
  return first && /^[\w.]{1,60}$/.test(first.code) ? `, mostly with ${first.code}` : ''
}
