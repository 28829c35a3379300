import type { SQSClient } from '@aws-sdk/client-sqs'
import { Sender } from '../aws/sender.ts'
import { newAttemptId, taskId } from '../protocol/ids.ts'
import type { Place, Run } from '../protocol/run.ts'
import { decodeTask, encodeTask, type Listed, newCopyTask, newListTask, type Task } from '../protocol/task.ts'
import type { Timing } from '../protocol/timing.ts'
import { look } from './dlq.ts'
import { activeRuns, runIdOf, type StackOutputs } from './stack/index.ts'
import type { Tools } from './stack/tools.ts'
import { lookThoroughly } from './thorough-look.ts'

/** What a run was begun with from the DLQ. */
export type Redriven = {
  /** What the run's first tasks are named after: another name each time, for the DLQ comes in another order each time. */
  family: string
  /** Run and task of each message; each has become a seed. */
  origins: ReadonlySet<string>
  /** Run and task of each message that was left out, since it comes of one of those. */
  covered: readonly string[]
  /** Objects of the copy tasks among them. */
  objects: number
  /** Messages that are no tasks of this protocol version. */
  unreadable: number
  /** Messages between the same places that are left to runs that are going on, by the name of the run's queue. */
  ongoing: ReadonlyMap<string, number>
  /** Whether the DLQ may hold more than was come across. */
  more: boolean
}

/** Characters: a good deal more than ours have. It becomes a part of messages. */
const LONGEST_ID = 100

type Redrive = { sqs: SQSClient; stack: StackOutputs; signal: AbortSignal }

/**
 * Sends the dead-lettered tasks of earlier runs between the same places round again, as the seeds of a new run. They stay in
 * the DLQ until {@link forget}, so that none is lost when this run is cut off: a later one finds them again. What a redrive
 * that was cut off has left there itself is a part of them, and is not sent beside them. Tasks of runs that are going on, of
 * other places, and what can't be read are left alone.
 */
export async function redrive(
  { sqs, stack, signal }: Redrive,
  run: Run,
  tools: Tools & { timing: Timing },
): Promise<Redriven> {
  const { timing } = tools
  const prefix = stack.runQueuePrefix
  const active = await activeRuns(sqs, prefix, timing.now())
  const activeIds = new Set(active.map((url) => runIdOf(url, prefix)))
  const lists = new Sender(sqs, stack.listQueueUrl, run.id, timing)
  const copies = new Sender(sqs, stack.copyQueueUrl, run.id, timing)
  const family = newAttemptId()
  const origins = new Set<string>()
  const ongoing = new Map<string, number>()
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
  const lookAgain = async (visit: (task: Task | undefined) => Promise<void>) =>
    await lookThoroughly(sqs, stack.deadLetterQueueUrl, signal, tools, ({ body }) => visit(readTask(body)))
  let more = await lookAgain(async (task) => {
    if (!task) unreadable++
    // What this run itself has left there comes of seeds that are now sent again.
    if (!task || !isBetween(task, run) || task.run.id === run.id) return
    if (activeIds.has(task.run.id)) {
      const queue = prefix + task.run.id
      ongoing.set(queue, (ongoing.get(queue) ?? 0) + 1)
      return
    }
    there.add(nameOf(task))
    if (task.run.origin === undefined) await sendAgain(task)
    else derived.set(nameOf(task), task.run.origin)
  })
  // Only now is it known whether what they come of is there. They are not kept meanwhile, for they may be many.
  const covered = [...derived].filter(([, origin]) => there.has(origin)).map(([name]) => name)
  for (const name of covered) derived.delete(name)
  if (derived.size > 0)
    more =
      (await lookAgain(async (task) => {
        if (task && derived.has(nameOf(task))) await sendAgain(task)
      })) || more
  await Promise.all([lists.flush(), copies.flush()])
  return { family, origins, covered, objects, unreadable, ongoing, more }
}

/**
 * Removes from the DLQ what a run was begun with, once all of it is settled: copied, failed, or dead-lettered anew under
 * the run's own name.
 *
 * @param names run and task of each
 * @returns how many of them it did not come across: another look may hide them
 */
export async function forget({ sqs, stack, signal }: Redrive, names: ReadonlySet<string>): Promise<number> {
  const left = new Set(names)
  await look(sqs, stack.deadLetterQueueUrl, signal, async ({ body }) => {
    const task = readTask(body)
    if (!task || !names.has(nameOf(task))) return 'keep'
    left.delete(nameOf(task))
    return 'remove'
  })
  return left.size
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

function nameOf({ id, run }: Task): string {
  return `${run.id}/${id}`
}
