/**
 * What one CopyObject costs the client: ours, the AWS SDK's, and undici's own for a request that was signed beforehand.
 *
 *     node bench/client.ts [copies in a turn] [turns]
 *
 * Each turn of a client is a new process, with the heap that Lambda gives a function of 128 MB, and 256 copies in flight
 * over plain HTTP to a server without latency. The clients take turns, so that a noisy machine is noisy for all; the
 * median of the turns counts.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Cost } from './client/contender.ts'

const folder = join(import.meta.dirname, 'client')
const LAMBDA_128_MB = ['--max-old-space-size=115', '--max-semi-space-size=6']
const BASE = 'undici'
/** The SDK takes ten times as long as the others. */
const SHARES: Record<string, number> = { [BASE]: 1, 'undici dispatch': 1, ours: 1, 'AWS SDK': 0.2 }

type Turn = { warm: Cost; cost: Cost }

const [copies = 30_000, turns = 9] = process.argv.slice(2).map(Number)

const server = fork(join(folder, 'server.ts'))
const [port] = (await once(server, 'message')) as [number]

/** Half of the copies to warm up, then those that count. */
async function turn(name: string, share: number): Promise<Turn> {
  const options = { execArgv: LAMBDA_128_MB }
  const child = fork(join(folder, 'contender.ts'), [name, `http://127.0.0.1:${port}`], options)
  await once(child, 'message')
  const copy = async (many: number) => {
    child.send(Math.ceil(many * share))
    const [cost] = (await once(child, 'message')) as [Cost]
    return cost
  }
  const result = { warm: await copy(copies / 2), cost: await copy(copies) }
  child.disconnect()
  await once(child, 'exit')
  return result
}

const results = new Map<string, Turn[]>(Object.keys(SHARES).map((name) => [name, []]))
for (let i = 0; i < turns; i++)
  for (const [name, list] of results) list.push(await turn(name, SHARES[name] ?? 1))
server.disconnect()

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const perCopy = ({ cost }: Turn) => cost.cpuMs / cost.copies
const base = results.get(BASE) ?? []
console.log('client           CPU ms/copy  copies/s of a core  copies/s seen  × undici  RSS MB: warm → end')
for (const [name, list] of results) {
  const ms = median(list.map(perCopy))
  const ratio = median(list.map((one, i) => perCopy(one) / perCopy(base[i] as Turn)))
  const seen = median(list.map(({ cost }) => (cost.copies / cost.wallMs) * 1000))
  const [warm, end] = [median(list.map((one) => one.warm.rssMb)), median(list.map((one) => one.cost.rssMb))]
  console.log(
    name.padEnd(16),
    ms.toFixed(4).padStart(11),
    (1000 / ms).toFixed(0).padStart(19),
    seen.toFixed(0).padStart(14),
    ratio.toFixed(2).padStart(9),
    `${warm.toFixed(0)} → ${end.toFixed(0)}`.padStart(19),
  )
}
