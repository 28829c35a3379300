import type { Place, Unlisted } from '../protocol/message.ts'
import type { FailureGroup } from './failures.ts'
import type { Totals } from './ledger.ts'
import type { Sample } from './progress.ts'
import type { Ending } from './watch.ts'

/** All that is to be said of a run when it is over. */
export type Result = {
  runId: string
  ending: Ending
  source: Place
  destination: Place
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

/** Why a run is not a success, most important first; empty when it is one. */
export function shortfalls(result: Result): string[] {
  const { ending, open, totals, dlqMessages, unlisted } = result
  const lines: string[] = []
  const tasks = counted(open, 'task')
  if (ending === 'timed-out') lines.push(`The run was stopped at its timeout with ${tasks} open.`)
  if (ending === 'cancelled') lines.push(`The run was cancelled with ${tasks} open.`)
  if (ending === 'stalled')
    lines.push(
      `The run was stopped: ${tasks} open, but the queues have been empty for minutes. Were they purged, or is a message older than the queue keeps it?`,
    )
  if (totals.failed > 0) lines.push(`${counted(totals.failed, 'object')} could not be copied.`)
  if (dlqMessages > 0)
    lines.push(
      `${counted(dlqMessages, 'task')} with ${counted(totals.deadObjects, 'object')} went to the dead-letter queue.`,
    )
  if (unlisted.length > 0)
    lines.push(
      `${counted(unlisted.length, 'part')} of the source could not be listed; objects may be missing.`,
    )
  return lines
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}
