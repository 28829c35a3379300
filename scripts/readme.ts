/** Writes the tables of inputs and outputs in README.md from action.yml. With --check, only tells whether they are right. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

type Entry = { description: string; required?: boolean; default?: string }

const root = join(import.meta.dirname, '..')
const path = join(root, 'README.md')
const metadata = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as Record<
  'inputs' | 'outputs',
  Record<string, Entry>
>

function table(kind: 'inputs' | 'outputs'): string {
  const rows = Object.entries(metadata[kind]).map(([name, { description, required, default: fallback }]) => {
    const preset = required ? '**required**' : fallback ? `\`${fallback}\`` : ''
    return kind === 'inputs'
      ? `| \`${name}\` | ${description} | ${preset} |`
      : `| \`${name}\` | ${description} |`
  })
  const head =
    kind === 'inputs'
      ? ['| Input | What it is | Default |', '|---|---|---|']
      : ['| Output | What it is |', '|---|---|']
  return [...head, ...rows].join('\n')
}

function fill(text: string, kind: 'inputs' | 'outputs'): string {
  const [begin, end] = [`<!-- ${kind} -->`, `<!-- /${kind} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`README.md lacks ${begin} … ${end}`)
  return `${text.slice(0, from + begin.length)}\n${table(kind)}\n${text.slice(to)}`
}

const before = readFileSync(path, 'utf8')
const after = fill(fill(before, 'inputs'), 'outputs')
if (process.argv.includes('--check')) {
  if (before !== after) {
    console.error('The tables in README.md are not those of action.yml. Run npm run readme.')
    process.exitCode = 1
  }
} else {
  writeFileSync(path, after)
}
