import { join } from 'node:path'
import { Child } from '../child.ts'
import { type Benchmark, median } from '../report.ts'
import type { LedgerCost } from './worker.ts'

/** 400,000 tasks of 250 objects are the 100 million objects for which the action has 150 MB. */
const TASKS = { full: [400_000, 1_000_000, 10_000_000], quick: [5_000] }
const TURNS = { full: 3, quick: 1 }

/** What the account of a run costs the action: time for each outcome, and memory for all tasks. */
export const ledger: Benchmark = async (effort) => {
  const rows: string[][] = []
  for (const tasks of TASKS[effort]) {
    const costs: LedgerCost[] = []
    for (let turn = 0; turn < TURNS[effort]; turn++) costs.push(await measure(tasks))
    const of = (figure: (cost: LedgerCost) => number) => median(costs.map(figure))
    rows.push([
      of((cost) => cost.tasks).toLocaleString('en'),
      of((cost) => cost.objects).toLocaleString('en'),
      of((cost) => cost.cpuMs / 1000).toFixed(2),
      of((cost) => (cost.cpuMs * 1000) / cost.settlements).toFixed(2),
      of((cost) => cost.heldMb).toFixed(1),
      of((cost) => (cost.heldMb * 2 ** 20) / cost.tasks).toFixed(1),
      of((cost) => cost.snapshotMb).toFixed(1),
      of((cost) => cost.snapshotMs).toFixed(0),
      of((cost) => cost.peakRssMb).toFixed(0),
    ])
  }
  return {
    title: 'Ledger',
    about:
      "The action's account of a run, fed with outcomes as SQS may deliver them: in random order among 5,000 on their way, 2 % " +
      'of them twice, copy tasks before the list task that names them, 1 % of list attempts dead before they said what they ' +
      'spawned, and 2 % of copy tasks with a child of their own. A task has 250 objects. Each size runs in fresh processes; each ' +
      `row is the median of ${TURNS[effort]}.`,
    head: [
      'tasks',
      'objects',
      'CPU s',
      'µs an outcome',
      'held MB',
      'bytes a task',
      'snapshot MB',
      'snapshot ms',
      'peak RSS MB',
    ],
    rows,
    notes: [
      'CPU does not include generating the outcomes.',
      "Snapshot is the ledger's part of a checkpoint as JSON, and the time to make it.",
      'Held is live memory at the end. Peak RSS is that of the whole process, with Node.js and the outcomes on their way.',
    ],
  }
}

async function measure(tasks: number): Promise<LedgerCost> {
  const module = join(import.meta.dirname, 'worker.ts')
  const child = new Child(module, [String(tasks)], { execArgv: ['--expose-gc'] })
  const cost = await child.hear<LedgerCost>()
  await child.stop()
  return cost
}
