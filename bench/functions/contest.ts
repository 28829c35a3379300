import { contend } from '../client/index.ts'
import { median } from '../report.ts'
import type { Invocation } from './process.ts'

/** CPU time for each object; memory is the most that there was, where that is of interest. */
export type Cost = {
  cpuMs: number
  perSecond: number
  rssMb?: number | undefined
  anonymousMb?: number | undefined
}

/** What contenders cost that take turns, by name. */
export async function contest(
  contenders: Record<string, () => Promise<Cost>>,
  turns: number,
): Promise<Map<string, Cost[]>> {
  const costs = new Map<string, Cost[]>(Object.keys(contenders).map((name) => [name, []]))
  for (let turn = 0; turn < turns; turn++)
    for (const [name, contender] of Object.entries(contenders)) costs.get(name)?.push(await contender())
  return costs
}

/** What a client costs that does nothing but calls. */
export async function callsOf(
  name: string,
  url: string,
  { calls, objects, inFlight }: { calls: number; objects: number; inFlight: number },
): Promise<Cost> {
  const { cost } = await contend(name, url, calls, inFlight)
  return {
    cpuMs: cost.cpuMs / (cost.calls * objects),
    perSecond: ((cost.calls * objects) / cost.wallMs) * 1000,
  }
}

export function costOf(invocations: Invocation[], objects: number): Cost {
  const sum = (figure: (invocation: Invocation) => number) =>
    invocations.reduce((total, invocation) => total + figure(invocation), 0)
  const last = invocations.at(-1)
  return {
    cpuMs: sum(({ cpuMs }) => cpuMs) / objects,
    perSecond: (objects / sum(({ wallMs }) => wallMs)) * 1000,
    rssMb: last?.rssMb,
    anonymousMb: last?.anonymousMb,
  }
}

/** The columns beside a name: {@link rows}, with two of the contenders as bases. */
export function head(base: string, sdk: string): string[] {
  return ['', 'CPU µs an object', `× ${base}`, `× ${sdk}`, 'objects/s', 'peak RSS MB', 'of it anonymous']
}

export function rows(costs: Map<string, Cost[]>, base: string, sdk: string): string[][] {
  return [...costs].map(([name, list]) => {
    const of = (figure: (cost: Cost) => number) => median(list.map(figure))
    const ratio = (to: Cost[] = []) =>
      median(list.map(({ cpuMs }, i) => cpuMs / (to[i]?.cpuMs ?? Number.NaN))).toFixed(2)
    const memory = (figure: (cost: Cost) => number | undefined) => {
      const known = list.flatMap((cost) => figure(cost) ?? [])
      return known.length > 0 ? median(known).toFixed(0) : '-'
    }
    return [
      name,
      of(({ cpuMs }) => cpuMs * 1000).toFixed(1),
      ratio(costs.get(base)),
      ratio(costs.get(sdk)),
      of(({ perSecond }) => perSecond).toFixed(0),
      memory(({ rssMb }) => rssMb),
      memory(({ anonymousMb }) => anonymousMb),
    ]
  })
}
