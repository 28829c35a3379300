/**
 * Benchmarks on this machine.
 *
 *     npm run bench                     all of them
 *     npm run bench -- ledger client    some
 *     npm run bench -- --write          also puts the tables into docs/benchmarks.md
 *     npm run bench -- --quick          tiny sizes: shows that they run, and nothing else
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readArguments, refuse } from '../local/arguments.ts'
import { client } from './client/index.ts'
import { coldStart } from './cold-start/index.ts'
import { copyFunction } from './functions/copy.ts'
import { listFunction } from './functions/list.ts'
import { ledger } from './ledger/index.ts'
import { withBlock } from './page.ts'
import { peers } from './peers/index.ts'
import { type Benchmark, markdown } from './report.ts'

const PAGE = join(import.meta.dirname, '..', 'docs', 'benchmarks.md')
const BENCHMARKS: Record<string, Benchmark> = {
  client,
  'cold-start': coldStart,
  'copy-function': copyFunction,
  'list-function': listFunction,
  peers,
  ledger,
}

const { values, positionals } = readArguments({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
})
const unknown = positionals.filter((name) => !Object.hasOwn(BENCHMARKS, name))
if (unknown.length > 0 || (values.quick && values.write)) {
  const names = Object.keys(BENCHMARKS).join(' ')
  refuse(
    unknown.length > 0
      ? `There is no benchmark ${unknown.join(', ')}. There are: ${names}`
      : '--quick gives no figures to write down',
  )
}

for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const report = markdown(await benchmark(values.quick ? 'quick' : 'full'))
  const origin = `\`npm run bench -- ${name}\`, Node.js ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`
  console.log(`${report}\n\n${origin}\n`)
  if (values.write)
    writeFileSync(PAGE, withBlock(readFileSync(PAGE, 'utf8'), name, `${report}\n\nMade by ${origin}.`))
}
