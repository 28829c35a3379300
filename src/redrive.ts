import type { SQSClient } from '@aws-sdk/client-sqs'
import { Sender } from '../aws/sender.ts'
import { newAttemptId, taskId } from '../protocol/ids.ts'
import type { Place, Run } from '../protocol/run.ts'
import { decodeTask, encodeTask, type Listed, newCopyTask, newListTask, type Task } from '../protocol/task.ts'
import type { Timing } from '../protocol/timing.ts'
import { LOOK_SECONDS, look } from './dlq.ts'
import { counted } from './format.ts'
import { showPlace } from './location.ts'
import { pauseWhile } from './pause.ts'
import { activeRuns, runIdOf, type StackOutputs } from './stack/index.ts'
import type { Tools } from './stack/tools.ts'
import { lookThoroughly } from './thorough-look.ts'

/** What a run was begun with from the DLQ. */
export type Redriven = {
  /** What the run's first tasks are named after: another name each time, for the DLQ comes in another order each time. */
  family: string
  /** Run and task of each message; each has become a seed. */
  origins: ReadonlySet<string>
  /** Objects of the copy tasks among them. */
  objects: number
  /** Messages that are no tasks of this protocol version. */
  unreadable: number
  /** Messages between the same places that are left to runs that are going on, by the name of the run's queue. */
  ongoing: ReadonlyMap<string, number>
  /** Messages between other places, by these: `s3://a → s3://b`. */
  elsewhere: ReadonlyMap<string, number>
  /** Whether the DLQ may hold more than was come across. */
  more: boolean
}

/** A deleted queue may be named and answer for a minute (SQS API reference, DeleteQueue), and some more. */
const DELETED_MS = 70_000
const LOOK_AGAIN_MS = 5_000
/** For as long as a look may hide what is to be removed, also one that was cut off. */
const HIDDEN_MS = LOOK_SECONDS * 1000
/** Characters: a good deal more than ours have. It becomes a part of messages. */
const LONGEST_ID = 100

type Redrive = { sqs: SQSClient; stack: StackOutputs; signal: AbortSignal }

/**
 * Sends the dead-lettered tasks of earlier runs between the same places round again, as the seeds of a new run. They stay in
 * the DLQ until {@link forget}, so that none is lost when this run is cut off: a later one finds them again. What a redrive
 * that was cut off has left there itself is a part of them, and is not sent beside them. Tasks of runs that are going on, of
 * other places, and what can't be read are left alone.
 */
export async function redrive({ sqs, stack, signal }: Redrive, run: Run, tools: Tools): Promise<Redriven> {
  const { timing } = tools
  const prefix = stack.runQueuePrefix
  const activeIds = await idsOfActive(sqs, stack, timing.now())
  const lists = new Sender(sqs, stack.listQueueUrl, run.id, timing)
  const copies = new Sender(sqs, stack.copyQueueUrl, run.id, timing)
  const family = newAttemptId()
  const origins = new Set<string>()
  const ongoing = new Map<string, number>()
  const elsewhere = new Map<string, number>()
  /** Run and task of each message that may go round again, and of those that come of another, what they come of. */
  const there = new Set<string>()
  const derived = new Map<string, string>()
  let objects = 0
  let unreadable = 0
  const sendAgain = async (task: Task) => {
    const origin = nameOf(task)
    // SQS may have delivered a task to the DLQ twice.
    if (origins.has(origin)) return
    const id = taskId(family, origins.size)
    origins.add(origin)
    const mine = { ...run, origin }
    if (task.kind === 'list') {
      await lists.send(encodeTask(newListTask(id, mine, task)))
    } else {
      objects += task.objects.length
      await copies.send(encodeTask(newCopyTask(id, mine, task.objects.map(afresh))))
    }
  }
  const take = async (task: Task) => {
    there.add(nameOf(task))
    if (task.run.origin === undefined) await sendAgain(task)
    else derived.set(nameOf(task), task.run.origin)
  }
  const visitAll = async (visit: (task: Task | undefined) => Promise<void>) =>
    await lookThoroughly(sqs, stack.deadLetterQueueUrl, signal, tools, ({ body }) => visit(readTask(body)))
  let more = await visitAll(async (task) => {
    if (!task) unreadable++
    // What this run itself has left there comes of seeds that are now sent again.
    if (!task || task.run.id === run.id) return
    if (!isBetween(task, run)) return count(elsewhere, showPlaces(task.run))
    if (activeIds.has(task.run.id)) return count(ongoing, prefix + task.run.id)
    await take(task)
  })
  const over = await overAfterAll({ sqs, stack, signal }, ongoing, tools)
  for (const id of over) ongoing.delete(prefix + id)
  if (over.size > 0)
    more =
      (await visitAll(async (task) => {
        if (task && over.has(task.run.id) && isBetween(task, run)) await take(task)
      })) || more
  // Only now is it known whether what they come of is there. They are not kept meanwhile, for they may be many.
  for (const [name, origin] of derived) if (there.has(origin)) derived.delete(name)
  if (derived.size > 0)
    more =
      (await visitAll(async (task) => {
        if (task && derived.has(nameOf(task))) await sendAgain(task)
      })) || more
  await Promise.all([lists.flush(), copies.flush()])
  return { family, origins, objects, unreadable, ongoing, elsewhere, more }
}

/**
 * Removes from the DLQ what a run was begun with, once all of it is settled: copied, failed, or dead-lettered anew under
 * the run's own name. With it goes what earlier redrives of the same have left, if they are over. What another look hides is
 * waited for.
 *
 * @param runId the run's, whose own dead letters stay
 * @returns how many of them it did not come across in two minutes
 */
export async function forget(
  { sqs, stack, signal }: Redrive,
  runId: string,
  origins: ReadonlySet<string>,
  timing: Timing,
): Promise<number> {
  const left = new Set(origins)
  const active = (await idsOfActive(sqs, stack, timing.now())).add(runId)
  const until = timing.now() + HIDDEN_MS
  for (;;) {
    const isLastLook = timing.now() >= until
    await look(sqs, stack.deadLetterQueueUrl, signal, async ({ body }) => {
      const task = readTask(body)
      if (!task) return 'keep'
      const name = nameOf(task)
      const isLeftover = origins.has(task.run.origin ?? '') && !active.has(task.run.id)
      if (!origins.has(name) && !isLeftover) return 'keep'
      left.delete(name)
      return 'remove'
    })
    if (left.size === 0 || isLastLook) return left.size
    await pauseWhile(() => !signal.aborted, LOOK_AGAIN_MS, timing)
  }
}

async function idsOfActive(
  sqs: SQSClient,
  { runQueuePrefix }: StackOutputs,
  now: number,
): Promise<Set<string>> {
  const queues = await activeRuns(sqs, runQueuePrefix, now)
  return new Set(queues.map((url) => runIdOf(url, runQueuePrefix)))
}

/** Ids of those of some runs that are over. It is waited for as long as a deleted queue may seem to be there: until then nobody can tell. */
async function overAfterAll(
  { sqs, stack, signal }: Redrive,
  queues: ReadonlyMap<string, unknown>,
  { timing, log }: Tools,
): Promise<Set<string>> {
  const ids = [...queues.keys()].map((queue) => runIdOf(queue, stack.runQueuePrefix))
  if (ids.length === 0) return new Set()
  log.info(
    `The dead-letter queue holds tasks of ${counted(ids.length, 'run')} that may still be in progress. SQS can report a run queue for a minute after it was deleted, so this waits for that long.`,
  )
  const until = timing.now() + DELETED_MS
  for (;;) {
    const active = await idsOfActive(sqs, stack, timing.now())
    const over = ids.filter((id) => !active.has(id))
    if (over.length === ids.length || timing.now() >= until || signal.aborted) return new Set(over)
    await pauseWhile(() => !signal.aborted, LOOK_AGAIN_MS, timing)
  }
}

/** Without what may have changed since: a restore, or the options that an upload was begun with. */
function afresh({ archived, upload, annotate, ...object }: Listed): Listed {
  return object
}

/** Undefined for what is no task of this version: nobody has made one with such a long id. */
function readTask(body: string): Task | undefined {
  try {
    const task = decodeTask(body)
    return task.id.length > LONGEST_ID ? undefined : task
  } catch {
    return undefined
  }
}

function isBetween({ run }: Task, { source, destination }: Pick<Run, 'source' | 'destination'>): boolean {
  return isSame(run.source, source) && isSame(run.destination, destination)
}

function isSame(a: Place, b: Place): boolean {
  return a.bucket === b.bucket && a.prefix === b.prefix
}

function showPlaces({ source, destination }: Task['run']): string {
  return `${showPlace(source)} → ${showPlace(destination)}`
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function nameOf({ id, run }: Task): string {
  return `${run.id}/${id}`
}
