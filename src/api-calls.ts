import type { AnyClient } from './stack/permissions.ts'

/** Counts the API calls that clients make from now on. Retries of one call are not counted. */
export function countCalls(clients: Record<string, AnyClient>): { readonly count: number } {
  const calls = { count: 0 }
  for (const client of Object.values(clients)) {
    const middleware = (next: (args: unknown) => Promise<unknown>) => (args: unknown) => {
      calls.count++
      return next(args)
    }
    client.middlewareStack.add(middleware as never, { step: 'initialize', name: 'countCalls' })
  }
  return calls
}
