/**
 * What one CopyObject costs the client: ours, the AWS SDK's, and undici's own for a request that was signed beforehand.
 *
 *     node bench/client.ts [copies in a turn] [turns]
 *
 * Each client has a process of its own, with the heap that Lambda gives a function of 128 MB, and 256 copies in flight
 * over plain HTTP to a server without latency. They take turns, so that a noisy machine is noisy for all; the median of
 * the turns counts.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Cost } from './client/contender.ts'

const folder = join(import.meta.dirname, 'client')
const LAMBDA_128_MB = ['--max-old-space-size=115', '--max-semi-space-size=6']
const BASE = 'undici'
/** The SDK takes ten times as long as the others. */
const SHARES: Record<string, number> = { [BASE]: 1, 'undici dispatch': 1, ours: 1, 'AWS SDK': 0.1 }

const [copies = 20_000, turns = 9] = process.argv.slice(2).map(Number)

const server = fork(join(folder, 'server.ts'))
const [port] = (await once(server, 'message')) as [number]
const contenders = new Map<string, ChildProcess>()
for (const name of Object.keys(SHARES)) {
  const options = { execArgv: LAMBDA_128_MB }
  const child = fork(join(folder, 'contender.ts'), [name, `http://127.0.0.1:${port}`], options)
  await once(child, 'message')
  contenders.set(name, child)
}

async function turn(name: string): Promise<Cost> {
  const child = contenders.get(name) as ChildProcess
  child.send(Math.ceil(copies * (SHARES[name] ?? 1)))
  const [cost] = (await once(child, 'message')) as [Cost]
  return cost
}

const costs = new Map<string, Cost[]>(Object.keys(SHARES).map((name) => [name, []]))
for (const name of costs.keys()) await turn(name)
for (let i = 0; i < turns; i++) for (const [name, list] of costs) list.push(await turn(name))
for (const child of [server, ...contenders.values()]) child.disconnect()

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const perCopy = (cost: Cost) => cost.cpuMs / cost.copies
const base = costs.get(BASE) ?? []
console.log('client           CPU ms/copy  copies/s of a core  copies/s seen  × undici  RSS MB first → last')
for (const [name, list] of costs) {
  const ms = median(list.map(perCopy))
  const ratio = median(list.map((cost, i) => perCopy(cost) / perCopy(base[i] as Cost)))
  const seen = median(list.map((cost) => (cost.copies / cost.wallMs) * 1000))
  const rss = `${list[0]?.rssMb.toFixed(0)} → ${list.at(-1)?.rssMb.toFixed(0)}`
  console.log(
    name.padEnd(16),
    ms.toFixed(4).padStart(11),
    (1000 / ms).toFixed(0).padStart(19),
    seen.toFixed(0).padStart(14),
    ratio.toFixed(2).padStart(9),
    rss.padStart(21),
  )
}
