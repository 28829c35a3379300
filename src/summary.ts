import { chart } from './chart.ts'
import type { FailureGroup } from './failures.ts'
import { fidelity } from './fidelity.ts'
import { counted, formatBytes, formatCount, formatDuration, formatRate } from './format.ts'
import { showPlace } from './location.ts'
import {
  foundNothing,
  messagesWithoutRun,
  type Result,
  type Status,
  shortfalls,
  statusOf,
  tellGoingOn,
} from './result.ts'
import { markdown } from './text.ts'
import { unsettled } from './totals.ts'

/** GitHub drops a summary above 1 MiB (workflow commands reference); these keep it far below. */
const CODES = 20
const PARTS = 10
/** As much of a reason as a function tells: who lacks which right stands at the end of it. */
const REASON_CHARS = 500

const ICONS: Record<Status, string> = { running: '⏳', succeeded: '✅', failed: '❌', cancelled: '❌' }
/** How the run ended, where that has to be said at once. */
const TITLES: Record<Result['ending'], string> = {
  settled: '',
  left: ', in progress',
  superseded: ', watched by another step',
  unwatched: ', no longer watched',
  stopped: ', ended elsewhere',
  'timed-out': ', timed out',
  stalled: ', stalled',
  unfed: ', stalled',
  'over-budget': ', stopped early',
  cancelled: ', cancelled',
}

/** The job summary, in GitHub's Markdown. What comes from outside is escaped. */
export function renderSummary(result: Result): string {
  const problems = shortfalls(result)
  return [
    `## ${ICONS[statusOf(result)]} S3 ${result.mode}: ${headline(result)}`,
    `${markdown(showPlace(result.source), 2000)} → ${markdown(showPlace(result.destination), 2000)}`,
    problems.map((line) => `> ${markdown(line, 2000)}`).join('\n>\n'),
    markdown(foundNothing(result) ?? '', 2000),
    result.ending === 'left' ? markdown(tellGoingOn(result), 2000) : '',
    totalsTable(result),
    chart(result.samples),
    failuresTable(result.failures),
    unlistedParts(result),
    fidelityTable(result),
    whereToLook(result),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

function headline({ totals, durationMs, ending }: Result): string {
  const copied = `${formatCount(totals.copied)} of ${formatCount(totals.listed)} objects`
  const skipped = totals.skipped > 0 ? `, ${formatCount(totals.skipped)} skipped,` : ''
  return `${copied}${skipped} in ${formatDuration(durationMs)}${TITLES[ending]}`
}

function totalsTable({ totals, dlqMessages, durationMs, open }: Result): string {
  const seconds = Math.max(durationMs / 1000, 0.001)
  const rows = [
    ['Listed', formatCount(totals.listed)],
    ['Copied', formatCount(totals.copied)],
    ['Skipped', formatCount(totals.skipped)],
    ...(totals.vanished > 0 ? [['Vanished after they were listed', formatCount(totals.vanished)]] : []),
    ['Failed', formatCount(totals.failed)],
    ['Dead-lettered', `${formatCount(totals.deadObjects)} (${counted(dlqMessages, 'task')})`],
    ...(open > 0 ? [['Left open', `${formatCount(unsettled(totals))} (${counted(open, 'task')})`]] : []),
    ['Bytes', formatBytes(totals.bytes)],
    ['Duration', formatDuration(durationMs)],
    ['Throughput', `${formatRate(totals.copied / seconds)}, ${formatBytes(totals.bytes / seconds)}/s`],
  ]
  return ['| | |', '|---|---:|', ...rows.map(([name, value]) => `| ${name} | **${value}** |`)].join('\n')
}

function failuresTable(groups: FailureGroup[]): string {
  if (groups.length === 0) return ''
  const rows = groups.slice(0, CODES).map(({ code, count, examples }) => {
    const shown = examples
      .map(({ key, message }) => `${markdown(key)}: ${markdown(message, REASON_CHARS)}`)
      .join('<br>')
    return `| ${markdown(code)} | ${formatCount(count)} | ${shown} |`
  })
  const rest = groups.length > CODES ? [`| ${groups.length - CODES} more codes | | see the report |`] : []
  return [
    '### Failures by code',
    '',
    '| Code | Objects | Examples |',
    '|---|---:|---|',
    ...rows,
    ...rest,
  ].join('\n')
}

/** What the copies have of all that belonged to their sources. */
function fidelityTable({ totals, options }: Result): string {
  if (totals.copied === 0) return ''
  const rows = fidelity(totals, options).map(({ what, kept, setAnew, leftOut, how }) => {
    const counts = [kept, setAnew, leftOut].map((count) => (count === 0 ? '' : formatCount(count)))
    return `| ${[what, ...counts, how].join(' | ')} |`
  })
  const head = ['| | Kept | Set anew | Left out | |', '|---|---:|---:|---:|---|']
  const note = 'These counts follow the run’s settings; the objects themselves were not inspected.'
  return ['### Properties of the copies', '', note, '', ...head, ...rows].join('\n')
}

function unlistedParts({ unlisted }: Result): string {
  if (unlisted.length === 0) return ''
  const all = unlisted.flatMap(({ part: { prefix, ranges }, code, message }) =>
    ranges.map(({ after = '', upTo = '' }) => ({ keys: [after, upTo, prefix], why: `${code}: ${message}` })),
  )
  const rows = all.slice(0, PARTS).map(({ keys, why }) => {
    const shown = keys.every((key) => key === '') ? ['All keys', '', ''] : keys.map((key) => markdown(key))
    const cells = [...shown, markdown(why, REASON_CHARS)]
    return `| ${cells.join(' | ')} |`
  })
  const head = ['### Not listed', '', '| After key | Up to key | With prefix | Why |', '|---|---|---|---|']
  const rest = all.length > PARTS ? [`| and ${all.length - PARTS} more | | | |`] : []
  return [...head, ...rows, ...rest].join('\n')
}

function whereToLook(result: Result): string {
  const { runId, stackName, region, reportPath, deadLetterQueueUrl } = result
  const { failures, unlisted, dlqMessages, nameless } = result
  const lines = [`Run ${markdown(runId)} on stack ${markdown(stackName)} in ${markdown(region)}.`]
  if (failures.length > 0)
    lines.push(
      `All failed objects are listed in ${markdown(reportPath, 500)} on the runner. The file is lost after the job unless a step uploads it. Its path is the output \`report\`.`,
    )
  if (dlqMessages > 0) lines.push(`Dead-lettered tasks: ${markdown(deadLetterQueueUrl, 500)}.`)
  if (nameless > 0) lines.push(`The dead-letter queue also holds ${messagesWithoutRun(nameless)}.`)
  if (failures.length > 0 || dlqMessages > 0 || unlisted.length > 0) {
    const groups = ['list', 'copy'].map((kind) => markdown(`/aws/lambda/${stackName}-${kind}`))
    lines.push(`The functions’ logs in CloudWatch: ${groups.join(' and ')}. Filter them by the run’s ID.`)
  }
  return ['### Where to look', '', ...lines.map((line) => `- ${line}`)].join('\n')
}
