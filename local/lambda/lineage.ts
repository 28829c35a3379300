/**
 * How Lambda finds functions that call themselves for ever: the AWS SDKs hand on the trace header of an invocation with
 * each request that they make in it, queues keep it with the message, and Lambda counts in it how often a function took
 * part (Lambda developer guide, "Use Lambda recursive loop detection").
 */

/** Invocations of one function in a chain after which Lambda invokes it no more, unless its RecursiveLoop is Allow. */
export const MOST_HOPS = 16

const PART = /;Lineage=([^;]*)/

/** How often a function has been invoked in the chain that a trace header belongs to. */
export function hopsOf(trace: string | undefined, functionName: string): number {
  return lineage(trace).get(functionName) ?? 0
}

/** The trace header of one more invocation of a function in a chain, or of the first one in a new chain. */
export function extend(trace: string | undefined, functionName: string): string {
  const hops = lineage(trace).set(functionName, hopsOf(trace, functionName) + 1)
  const root = trace?.replace(PART, '') ?? 'Root=1-00000000-000000000000000000000000'
  return `${root};Lineage=${[...hops].map(([name, count]) => `${name}:${count}`).join('|')}`
}

function lineage(trace = ''): Map<string, number> {
  const text = PART.exec(trace)?.[1]
  const entries = text ? text.split('|').map((entry) => entry.split(':')) : []
  return new Map(entries.map(([name = '', count]) => [name, Number(count)]))
}
