/**
 * What one CopyObject costs the client: ours, the AWS SDK's, and undici's own for signed requests.
 *
 * Each turn of a client is a new process, with the heap that Lambda gives a function of 128 MB, and 256 copies in flight
 * over plain HTTP to a server without latency. The clients take turns, so that a noisy machine is noisy for all; the
 * median of the turns counts.
 */
import { join } from 'node:path'
import { Child } from '../child.ts'
import { type Benchmark, median } from '../report.ts'
import type { Cost } from './contender.ts'

const LAMBDA_128_MB = ['--max-old-space-size=115', '--max-semi-space-size=6']
const IN_FLIGHT = 256
const BASE = 'undici, signed'
/** The SDK takes ten times as long as the others. */
const SHARES: Record<string, number> = {
  [BASE]: 1,
  undici: 1,
  'undici dispatch': 1,
  ours: 1,
  'AWS SDK': 0.2,
}
const COPIES = { full: 30_000, quick: 300 }
const TURNS = { full: 9, quick: 1 }

type Turn = { warm: Cost; cost: Cost }

export const client: Benchmark = async (effort) => {
  const server = new Child(join(import.meta.dirname, 'server.ts'))
  const port = await server.hear<number>()
  const results = new Map<string, Turn[]>(Object.keys(SHARES).map((name) => [name, []]))
  for (let i = 0; i < TURNS[effort]; i++)
    for (const [name, turns] of results)
      turns.push(await contend(name, `http://127.0.0.1:${port}`, COPIES[effort] * (SHARES[name] ?? 1)))
  await server.stop()

  const base = results.get(BASE) ?? []
  return {
    title: 'Client',
    about:
      'CopyObject calls, 256 in flight, over plain HTTP to a server that answers at once. Each client runs in its own processes ' +
      'with the heap of a 128 MB function. The clients take turns. Each row is the median of ' +
      `${TURNS[effort]} turns of ${COPIES[effort].toLocaleString('en')} copies (a fifth of that for the AWS SDK).`,
    head: [
      'client',
      'CPU ms a copy',
      'copies/s of a core',
      'copies/s seen',
      `× ${BASE}`,
      'RSS MB warm',
      'RSS MB end',
    ],
    rows: [...results].map(([name, turns]) => row(name, turns, base)),
    notes: [
      '**undici, signed** only signs each request and sends it with `Pool.request`.',
      '**undici** sends one request again and again that was signed beforehand. **undici dispatch** does the same with ' +
        'undici’s lowest call, which builds no streams.',
      '**ours** is `lambda/s3/`, which signs each request.',
    ],
  }
}

/** One turn of a client in a new process: half of the calls to warm up, then those that count. */
export async function contend(
  name: string,
  endpoint: string,
  calls: number,
  inFlight = IN_FLIGHT,
): Promise<Turn> {
  const module = join(import.meta.dirname, 'contender.ts')
  const child = new Child(module, [name, endpoint, String(inFlight)], { execArgv: LAMBDA_128_MB })
  await child.hear()
  const turn = {
    warm: await child.ask<Cost>(Math.ceil(calls / 2)),
    cost: await child.ask<Cost>(Math.ceil(calls)),
  }
  await child.stop()
  return turn
}

function row(name: string, turns: Turn[], base: Turn[]): string[] {
  const perCopy = ({ cost }: Turn) => cost.cpuMs / cost.calls
  const of = (figure: (turn: Turn) => number) => median(turns.map(figure))
  const ms = of(perCopy)
  return [
    name,
    ms.toFixed(4),
    (1000 / ms).toFixed(0),
    of(({ cost }) => (cost.calls / cost.wallMs) * 1000).toFixed(0),
    median(turns.map((one, i) => perCopy(one) / perCopy(base[i] as Turn))).toFixed(2),
    of(({ warm }) => warm.rssMb).toFixed(0),
    of(({ cost }) => cost.rssMb).toFixed(0),
  ]
}
