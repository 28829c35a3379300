import type { Lambda } from '../lambda/index.ts'
import { Chances } from './chance.ts'
import type { Faults } from './faults.ts'
import { type Scenario, WORKER_FAULTS } from './scenarios.ts'

/** How often an instance at work may be hit. */
const EVERY_MS = 100
/** Frozen for shorter and for longer than a lease. */
const FROZEN_MS = 40_000

/** Kills instances at work, fills their heaps and freezes them, until told to stop; frozen ones are thawed then. */
export function disturbWorkers(
  lambda: Pick<Lambda, 'pids' | 'exhaust'>,
  functions: string[],
  rates: Scenario['rates'],
  faults: Faults,
  seed: (string | number)[],
): () => void {
  const chances = new Chances(...seed, 'workers')
  const frozen = new Set<number>()
  const thaw = (pid: number) => {
    if (frozen.delete(pid)) signal(pid, 'SIGCONT')
  }
  const timer = setInterval(() => {
    for (const fault of WORKER_FAULTS) {
      const rate = rates[fault]
      if (rate === undefined || fault === 'timed-out' || chances.next(fault) >= rate) continue
      const busy = functions.flatMap((name) => lambda.pids(name).busy).filter((pid) => !frozen.has(pid))
      const pid = busy[Math.floor(chances.next('which') * busy.length)]
      if (pid === undefined) continue
      faults.count(fault)
      if (fault === 'frozen') {
        frozen.add(pid)
        signal(pid, 'SIGSTOP')
        setTimeout(() => thaw(pid), FROZEN_MS * chances.next('how long') ** 2).unref()
      } else if (fault === 'killed') {
        signal(pid, 'SIGKILL')
      } else {
        lambda.exhaust(pid)
      }
    }
  }, EVERY_MS)
  return () => {
    clearInterval(timer)
    for (const pid of [...frozen]) thaw(pid)
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
