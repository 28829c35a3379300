import type { Run } from '../../protocol/run.ts'
import type { Timing } from '../../protocol/timing.ts'
import { UserError } from '../errors.ts'
import { type Checkpoint, firstCheckpoint, type Watcher } from './checkpoint.ts'
import { differences, type Subject } from './run-key.ts'
import { LEASE_MS } from './saver.ts'
import type { CheckpointStore, Found } from './store.ts'

/** How often a watcher that is about to be taken for dead is looked at. */
const LOOK_MS = 5_000

/** What came of the attempt to watch the run of a key. */
export type Attachment =
  | ({ how: 'started' | 'attached' } & Found)
  /** Somebody else watches it. */
  | { how: 'watched'; checkpoint: Checkpoint }
  | { how: 'aborted' }

export type AttachOptions = {
  store: CheckpointStore
  subject: Subject
  watcher: Omit<Watcher, 'until'>
  /** Whether to wait for a sign that a watcher is still alive, or for one to go that does not stay: two minutes at most for each. */
  wait: boolean
  signal: AbortSignal
  timing: Pick<Timing, 'now' | 'sleep'>
  /** Told once that this waits, and for whom. */
  onWait: (watcher: string) => void
  /** Makes a new run and its queue. */
  createRun: (subject: Subject) => Promise<Run>
  /** Deletes the queue of a run. */
  deleteQueue: (queueUrl: string) => Promise<void>
  /** Whether a run is going on: its queue exists. */
  isGoingOn: (run: Run) => Promise<boolean>
}

/**
 * Attaches to the run of a key that is going on, and starts one when none is. Each step is a conditional write, so of
 * several that try at once one gets the run.
 *
 * @throws UserError when the run that is going on is about something else
 */
export async function attach(options: AttachOptions): Promise<Attachment> {
  const { store, signal, timing } = options
  const leftBy = timing.now() + LEASE_MS
  while (!signal.aborted) {
    const found = await store.read()
    const attachment =
      found && (await options.isGoingOn(found.checkpoint.run))
        ? await join(options, found, leftBy)
        : await start(options, found)
    if (attachment) return attachment
  }
  return { how: 'aborted' }
}

/** Starts a run in place of the one before, which is over. Undefined when somebody else was faster. */
async function start(options: AttachOptions, before: Found | undefined): Promise<Attachment | undefined> {
  const { store, subject, timing } = options
  const run = await options.createRun(subject)
  const now = timing.now()
  const checkpoint = firstCheckpoint(run, subject, lease(options, now), now)
  const etag = await store.write(checkpoint, before?.etag).catch(async (error: unknown) => {
    // Nobody would end this run. What can't be deleted either is told as what it is: a checkpoint that can't be written.
    await options.deleteQueue(run.queue).catch(() => {})
    throw error
  })
  if (etag === undefined) {
    await options.deleteQueue(run.queue)
    return undefined
  }
  if (before) await store.removeSegments(before.checkpoint)
  return { how: 'started', checkpoint, etag }
}

/** Takes over a run that nobody watches. Undefined when somebody else was faster, or it ended meanwhile. */
async function join(options: AttachOptions, found: Found, leftBy: number): Promise<Attachment | undefined> {
  const { store, subject, timing } = options
  const { run, mode, parts } = found.checkpoint
  const others = differences({ ...run, mode, parts }, subject)
  if (others.length > 0)
    throw new UserError(
      `run-key: run ${run.id} is in progress under this key, but its inputs differ: ${others.join(', ')}. Use the inputs that it was started with, or another run-key. To stop that run, delete its queue ${run.queue}.`,
    )
  const watched = await isWatched(options, found, leftBy)
  if (watched !== false) return watched
  const now = timing.now()
  const checkpoint = { ...found.checkpoint, savedAt: now, watcher: lease(options, now) }
  const etag = await store.write(checkpoint, found.etag)
  return etag === undefined ? undefined : { how: 'attached', checkpoint, etag }
}

/**
 * Whether somebody watches: false when not, undefined when the run ended while this waited, or its watcher left it. A watcher
 * that has died holds its lease for a while; one that lives renews it, and that is waited for: no longer than a lease, whatever
 * its clock says.
 *
 * @param leftBy until when one that does not stay is waited for: milliseconds since the epoch
 */
async function isWatched(
  { store, wait, signal, timing, onWait }: AttachOptions,
  { checkpoint, etag }: Found,
  leftBy: number,
): Promise<Attachment | false | undefined> {
  if (hasLeft(checkpoint)) return false
  const until = Math.min(checkpoint.watcher.until, timing.now() + LEASE_MS)
  if (wait && timing.now() < until) onWait(checkpoint.watcher.name)
  while (timing.now() < until) {
    if (!wait) return { how: 'watched', checkpoint }
    if (signal.aborted) return undefined
    await timing.sleep(Math.min(LOOK_MS, until - timing.now()))
    const now = await store.read()
    if (!now) return undefined
    if (now.etag === etag) continue
    if (hasLeft(now.checkpoint)) return undefined
    // One that is about to leave is none to leave the run to, either.
    if (now.checkpoint.watcher.leaves && timing.now() < leftBy) return undefined
    return { how: 'watched', checkpoint: now.checkpoint }
  }
  return false
}

/** Whether a watcher's last write ended its lease: both times are of its own clock. */
function hasLeft({ watcher, savedAt }: Checkpoint): boolean {
  return watcher.until <= savedAt
}

function lease({ watcher }: AttachOptions, now: number): Watcher {
  return { ...watcher, until: now + LEASE_MS }
}
