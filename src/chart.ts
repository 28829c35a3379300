import type { Sample } from './progress.ts'

const POINTS = 30

/** Objects copied over time, as a chart in GitHub's Markdown; nothing for a run that has copied nothing or is too short to show a course. The points of such a chart are equally far apart. */
export function chart(samples: Sample[]): string {
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last || last.copied === 0 || samples.length < 4) return ''
  const points = Math.min(POINTS, samples.length)
  const span = last.elapsedMs - first.elapsedMs
  const line = Array.from({ length: points }, (_, index) =>
    Math.round(copiedAt(first.elapsedMs + (span * index) / (points - 1), samples)),
  )
  const [from, to] = [first, last].map(({ elapsedMs }) => Math.round(elapsedMs / 1000))
  return [
    '```mermaid',
    'xychart-beta',
    '  title "Objects copied"',
    `  x-axis "seconds" ${from} --> ${to}`,
    '  y-axis "objects"',
    `  line [${line.join(', ')}]`,
    '```',
  ].join('\n')
}

/** Between two samples, as if copying had gone on evenly. */
function copiedAt(ms: number, samples: Sample[]): number {
  const index = samples.findIndex(({ elapsedMs }) => elapsedMs >= ms)
  const [before, after] = [samples[index - 1], samples[index]]
  if (!before || !after) return (after ?? samples.at(-1))?.copied ?? 0
  const share = (ms - before.elapsedMs) / (after.elapsedMs - before.elapsedMs)
  return before.copied + share * (after.copied - before.copied)
}
