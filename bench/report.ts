/** What one benchmark found, as a table. */
export type Report = {
  title: string
  /** What was measured, and how. */
  about: string
  head: string[]
  rows: string[][]
  /** What else there is to know of the figures. */
  notes: string[]
}

/** `quick` only shows that a benchmark runs: its figures mean nothing. */
export type Effort = 'full' | 'quick'

export type Benchmark = (effort: Effort) => Promise<Report>

/** The report as Markdown, with the columns aligned so that it reads well as plain text too. */
export function markdown({ title, about, head, rows, notes }: Report): string {
  const list = notes.map((note) => `- ${note}`).join('\n')
  return [`## ${title}`, about, table(head, rows), list].filter((part) => part !== '').join('\n\n')
}

/** The first column is left-aligned, the others hold figures. */
function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

/** NaN when there are none. */
export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
