import * as core from '@actions/core'
import { formatBytes, formatCount, formatDuration } from './format.ts'
import { type Result, shortfalls } from './result.ts'
import { renderSummary } from './summary.ts'
import { printable, shorten } from './text.ts'

/** GitHub shows 10 annotations of a kind for a step; the last one of ours says what fails the step. */
const ANNOTATIONS = 8
/** GitHub cuts an annotation at 4,096 characters. */
const ANNOTATION_CHARS = 1000

/** Tells how a run went: log, outputs, annotations and job summary. Marks the step as failed when it fell short, unless told not to. */
export async function report(result: Result, failOnError: boolean): Promise<void> {
  const problems = shortfalls(result)
  setOutputs(result)
  logTotals(result)
  annotate(result)
  if (problems.length > 0) {
    const message = problems.join(' ')
    // Whatever fail-on-error says, a run that did not come to its end is no success.
    if (failOnError || result.ending !== 'settled') core.setFailed(message)
    else core.warning(`${message} The step passes because fail-on-error is false.`)
  }
  await writeSummary(renderSummary(result))
}

function setOutputs({ totals, dlqMessages, durationMs, runId, reportPath }: Result): void {
  const outputs = {
    listed: totals.listed,
    copied: totals.copied,
    skipped: totals.skipped,
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

function logTotals({ totals, dlqMessages, durationMs, failures, reportPath }: Result): void {
  const parts = [
    `listed ${formatCount(totals.listed)}`,
    `copied ${formatCount(totals.copied)} (${formatBytes(totals.bytes)})`,
    `skipped ${formatCount(totals.skipped)}`,
    `failed ${formatCount(totals.failed)}`,
    `dead-lettered ${formatCount(totals.deadObjects)} objects in ${formatCount(dlqMessages)} tasks`,
  ]
  core.info(`${parts.join(', ')} in ${formatDuration(durationMs)}`)
  if (failures.length > 0) core.info(`Every object that failed: ${reportPath}`)
}

function annotate({ failures, nameless }: Result): void {
  for (const { code, count, examples } of failures.slice(0, ANNOTATIONS)) {
    const example = examples[0]
    const shown = example ? ` For example ${printable(example.key)}: ${printable(example.message)}` : ''
    core.error(shorten(`${formatCount(count)} × ${printable(code)}.${shown}`, ANNOTATION_CHARS), {
      title: 'Objects not copied',
    })
  }
  if (nameless > 0)
    core.warning(
      `The dead-letter queue holds ${formatCount(nameless)} messages that name no run. They are not counted.`,
    )
}

/** A summary that can't be written (none outside of a runner) must not fail a run. */
async function writeSummary(text: string): Promise<void> {
  if (!process.env.GITHUB_STEP_SUMMARY) return
  await core.summary.addRaw(text).write()
}
