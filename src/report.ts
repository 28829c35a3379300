import * as core from '@actions/core'
import { explain } from './errors.ts'
import { fidelity, tellFidelity } from './fidelity.ts'
import { counted, formatBytes, formatCount, formatDuration } from './format.ts'
import {
  failsStep,
  foundNothing,
  messagesWithoutRun,
  type Result,
  shortfalls,
  statusOf,
  tellGoingOn,
} from './result.ts'
import { renderSummary } from './summary.ts'
import { printable, shorten } from './text.ts'
import { tellFirst } from './unlisted.ts'

/** GitHub shows 10 annotations of a kind for a step; the last two of ours say what was not listed, and what fails the step. */
const ANNOTATIONS = 8
/** GitHub cuts an annotation at 4,096 characters. */
const ANNOTATION_CHARS = 1000
/** A key takes at most so many of these, to leave room for what S3 says of it. */
const KEY_CHARS = 300

/** Tells how a run went: log, outputs, annotations and job summary. Marks the step as failed when it fell short, unless told not to. */
export async function report(result: Result, failOnError: boolean): Promise<void> {
  const problems = shortfalls(result)
  setOutputs(result)
  logTotals(result)
  annotate(result)
  if (result.ending === 'left') core.info(tellGoingOn(result))
  // What a redrive has found, it has told.
  const nothing = result.mode === 'copy' ? foundNothing(result) : undefined
  if (nothing !== undefined) core.notice(nothing)
  const message = problems.join(' ')
  if (failsStep(result, failOnError)) core.setFailed(message)
  else if (problems.length > 0)
    core.warning(failOnError ? message : `${message} The step passes because of \`fail-on-error: false\`.`)
  await writeSummary(renderSummary(result))
}

function setOutputs(result: Result): void {
  const { totals, dlqMessages, durationMs, runId, reportPath } = result
  const outputs = {
    status: statusOf(result),
    listed: totals.listed,
    copied: totals.copied,
    skipped: totals.skipped,
    vanished: totals.vanished,
    failed: totals.failed,
    dlq: dlqMessages,
    'dlq-objects': totals.deadObjects,
    bytes: totals.bytes,
    duration: Math.round(durationMs / 1000),
    'run-id': runId,
    report: reportPath,
  }
  for (const [name, value] of Object.entries(outputs)) core.setOutput(name, String(value))
}

function logTotals({ totals, options, dlqMessages, durationMs, failures, reportPath }: Result): void {
  const parts = [
    `listed ${formatCount(totals.listed)}`,
    `copied ${formatCount(totals.copied)} (${formatBytes(totals.bytes)})`,
    `skipped ${formatCount(totals.skipped)}`,
    `vanished ${formatCount(totals.vanished)}`,
    `failed ${formatCount(totals.failed)}`,
    `dead-lettered ${counted(totals.deadObjects, 'object')} in ${counted(dlqMessages, 'task')}`,
  ]
  core.info(`${parts.join(', ')} in ${formatDuration(durationMs)}`)
  if (totals.copied > 0) core.info(tellFidelity(fidelity(totals, options)))
  if (failures.length > 0) core.info(`All failed objects are listed in ${reportPath}`)
}

function annotate({ failures, unlisted, nameless, deadLetterQueueUrl }: Result): void {
  for (const { code, count, examples } of failures.slice(0, ANNOTATIONS)) {
    const example = examples[0]
    const shown = example
      ? ` For example ${shorten(printable(example.key), KEY_CHARS)}: ${printable(example.message)}`
      : ''
    core.error(shorten(`${formatCount(count)} × ${printable(code)}.${shown}`, ANNOTATION_CHARS), {
      title: 'Objects not copied',
    })
  }
  const part = tellFirst(unlisted)
  if (part !== undefined) core.error(shorten(part, ANNOTATION_CHARS), { title: 'Source not listed' })
  if (nameless > 0)
    core.warning(
      `The dead-letter queue holds ${messagesWithoutRun(nameless)}, not counted here. Delete what does not belong there. The queue is ${printable(deadLetterQueueUrl)}.`,
    )
}

/** A summary that can't be written (none outside of a runner) must not fail a run. */
async function writeSummary(text: string): Promise<void> {
  if (!process.env.GITHUB_STEP_SUMMARY) return
  try {
    await core.summary.addRaw(text).write()
  } catch (error) {
    core.warning(`The job summary could not be written: ${explain(error)}`)
  }
}
