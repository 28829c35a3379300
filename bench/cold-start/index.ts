import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Benchmark, median } from '../report.ts'

const FUNCTIONS = join(import.meta.dirname, '..', '..', 'dist', 'functions')
const STARTS = { full: 25, quick: 1 }
const ENVIRONMENT = {
  PATH: process.env.PATH ?? '',
  AWS_REGION: 'us-east-1',
  LIST_QUEUE_URL: 'http://127.0.0.1/list',
  COPY_QUEUE_URL: 'http://127.0.0.1/copy',
}
/** Tells how long the import of the module took, its file read from a warm disk cache, and what CPU time. */
const IMPORT = `
  const [cpu, time] = [process.cpuUsage(), performance.now()]
  if (process.argv[1]) await import(process.argv[1])
  const { user, system } = process.cpuUsage(cpu)
  const rss = process.resourceUsage().maxRSS / 1024
  console.log(JSON.stringify({ initMs: performance.now() - time, cpuMs: (user + system) / 1000, rss }))
`

type Start = { wholeMs: number; initMs: number; cpuMs: number; rss: number }

/** What a function takes to come up, before its first task: importing the bundle makes its clients as well. */
export const coldStart: Benchmark = async (effort) => {
  const modules = { 'Node.js alone': '', list: bundleOf('list'), copy: bundleOf('copy') }
  const starts = new Map<string, Start[]>(Object.keys(modules).map((name) => [name, []]))
  for (let i = 0; i < STARTS[effort]; i++)
    for (const [name, path] of Object.entries(modules)) starts.get(name)?.push(await start(path))
  const bare = starts.get('Node.js alone') ?? []
  return {
    title: 'Cold start',
    about:
      'The bundled functions (`dist/functions/*/index.mjs`), imported in fresh processes, in turns with Node.js alone. The ' +
      `import also creates the clients. Each row is the median of ${STARTS[effort]} starts.`,
    head: ['function', 'bundle kB', 'init ms', 'init CPU ms', 'whole process ms', '× Node.js', 'RSS MB'],
    rows: Object.entries(modules).map(([name, path]) => row(name, path, starts.get(name) ?? [], bare)),
    notes: [
      'Init is what Lambda shows as Init Duration, without Lambda’s own runtime. The aim is less than 250 ms, and less than ' +
        '1 MB for a bundle.',
      '× Node.js compares the whole process with one that imports nothing, start by start.',
    ],
  }
}

function bundleOf(name: string): string {
  return join(FUNCTIONS, name, 'index.mjs')
}

async function start(path: string): Promise<Start> {
  const began = performance.now()
  const child = spawn(process.execPath, ['--input-type=module', '--eval', IMPORT, path], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  if (code !== 0) throw new Error(`importing ${path} ended with exit code ${code}`)
  return { wholeMs: performance.now() - began, ...JSON.parse(said) }
}

function row(name: string, path: string, starts: Start[], bare: Start[]): string[] {
  const of = (figure: (start: Start) => number) => median(starts.map(figure))
  return [
    name,
    path === '' ? '-' : (statSync(path).size / 1000).toFixed(0),
    path === '' ? '-' : of(({ initMs }) => initMs).toFixed(0),
    path === '' ? '-' : of(({ cpuMs }) => cpuMs).toFixed(0),
    of(({ wholeMs }) => wholeMs).toFixed(0),
    median(starts.map(({ wholeMs }, i) => wholeMs / (bare[i]?.wholeMs ?? Number.NaN))).toFixed(2),
    of(({ rss }) => rss).toFixed(0),
  ]
}
