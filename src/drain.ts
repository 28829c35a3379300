import { type Depths, isDrained, readDepths } from './depths.ts'
import { counted } from './format.ts'
import { activeRuns } from './stack/index.ts'
import type { WatchedRun, WatchOptions } from './watch.ts'

/** Polls that wait for the queues to read empty whoever else is at work, */
const DRAIN_POLLS = 3
/** and for how long when nobody is: as long as SQS's counts lag, and less than a lease. */
const DRAIN_MS = 60_000

/**
 * Gives the queues a few polls to read empty: what they hold after that may be another run's. When no other run is going on, a
 * worker may still be at a task that came twice, and write copies again; it gets a while.
 */
export async function drain(watched: WatchedRun, options: WatchOptions, depths: Depths): Promise<void> {
  const { timing, signal, pollMs, onPoll, onWarning } = options
  const until = timing.now() + DRAIN_MS
  let current = depths
  for (let poll = 0; !isDrained(current) && !signal.aborted; poll++) {
    if (poll === DRAIN_POLLS && !(await isAlone(watched, timing.now()))) return
    if (timing.now() >= until) {
      if (!(await isAlone(watched, timing.now()))) return
      onWarning(
        `The queues still hold ${counted(current.list + current.copy + current.inFlight, 'message')}, although every task was settled a minute ago. They may be repeated deliveries, in which case a function may still write some copies again.`,
      )
      return
    }
    await timing.sleep(Math.min(pollMs, 2_000))
    current = await readDepths(watched.sqs, watched.stack)
    onPoll(current)
  }
}

/** Whether no other run is going on; not when that can't be told. */
async function isAlone({ sqs, stack, runQueueUrl }: WatchedRun, now: number): Promise<boolean> {
  try {
    const active = await activeRuns(sqs, stack.runQueuePrefix, now)
    return active.every((url) => url === runQueueUrl)
  } catch {
    return false
  }
}
