/**
 * Whole runs in virtual time: the functions' own code and the action's ledger against models of S3, SQS and Lambda.
 *
 *     npm run simulate [-- --objects 1000000 --partitions 1,4,16 --keys hex --keys dates --workers 50 --seed 1 --count-lag 2 --duplicates 1000]
 *
 * Prints a table in Markdown and the course of the last run as a chart. The same options give the same numbers.
 */
import { readArguments, refuse } from '../local/arguments.ts'
import { chart } from '../src/chart.ts'
import { KEY_SETS, keysNamed } from './simulation/key-sets.ts'
import { type Simulated, simulateRun } from './simulation/run.ts'

/** USD, us-east-1 (AWS price lists, 2026); for SQS, with the surcharge for fair queues. */
const PRICES = {
  copy: 5 / 1e6,
  list: 5 / 1e6,
  sqsRequest: 0.5 / 1e6,
  invocation: 0.2 / 1e6,
  gbSecond: 0.0000133334,
}

const { values } = readArguments({
  options: {
    objects: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '1' },
    keys: { type: 'string', multiple: true, default: Object.keys(KEY_SETS) },
    workers: { type: 'string', default: '50' },
    'batch-size': { type: 'string', default: '250' },
    seed: { type: 'string', default: '1' },
    /** Seconds by which SQS's counts are behind. */
    'count-lag': { type: 'string', default: '2' },
    /** Messages in a million that SQS delivers twice. */
    duplicates: { type: 'string', default: '1000' },
  },
})

const unknown = values.keys.filter((name) => !Object.hasOwn(KEY_SETS, name))
if (unknown.length > 0)
  refuse(`There are no keys ${unknown.join(', ')}. There are: ${Object.keys(KEY_SETS).join(', ')}`)
const numbers = [
  values.objects,
  values.workers,
  values['batch-size'],
  values['count-lag'],
  ...values.partitions.split(','),
]
if (!numbers.every((text) => /^[1-9]\d*$/.test(text)))
  refuse('--objects, --partitions, --workers, --batch-size and --count-lag are whole numbers above 0')
if (!/^\d{1,6}$/.test(values.duplicates)) refuse('--duplicates is a number in a million, 0 to 999999')

const COLUMNS = [
  'keys',
  'partitions',
  'drain s',
  '÷ floor',
  'listed s',
  'lists ÷ pages',
  '503 %',
  'GB-s',
  'SQS requests',
  'S3 $/M',
  'ours $/M',
  'ours %',
]
console.log(
  `${values.objects} objects, at most ${values.workers} workers, ${values['batch-size']} objects a task, seed ${values.seed}\n`,
)
console.log(`| ${COLUMNS.join(' | ')} |\n|${COLUMNS.map(() => '---').join('|')}|`)

let last: Simulated | undefined
for (const name of values.keys) {
  for (const partitions of values.partitions.split(',').map(Number)) {
    const keys = keysNamed(name, Number(values.objects))
    last = await simulateRun({
      keys,
      prefix: '',
      partitions,
      maxConcurrency: Number(values.workers),
      batchSize: Number(values['batch-size']),
      seed: Number(values.seed),
      countLagMs: Number(values['count-lag']) * 1000,
      duplicates: Number(values.duplicates) / 1e6,
    })
    if (last.copied !== keys.size)
      throw new Error(`${name}: ${last.copied} of ${keys.size} objects were copied`)
    console.log(`| ${row(name, partitions, keys.size, last).join(' | ')} |`)
  }
}
if (last) console.log(`\n${chart(last.course)}`)

function row(name: string, partitions: number, objects: number, run: Simulated): string[] {
  const million = objects / 1e6
  const s3 = (objects * PRICES.copy + run.lists * PRICES.list) / million
  const ours =
    (run.gbSeconds * PRICES.gbSecond +
      run.invocations * PRICES.invocation +
      run.sqsRequests * PRICES.sqsRequest) /
    million
  return [
    name,
    String(partitions),
    (run.drainMs / 1000).toFixed(1),
    (run.drainMs / run.floorMs).toFixed(3),
    (run.listedMs / 1000).toFixed(1),
    (run.lists / (objects / 1000)).toFixed(3),
    (run.refusedShare * 100).toFixed(2),
    run.gbSeconds.toFixed(0),
    String(run.sqsRequests),
    s3.toFixed(3),
    ours.toFixed(3),
    ((ours / s3) * 100).toFixed(1),
  ]
}
