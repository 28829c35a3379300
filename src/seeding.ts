import * as core from '@actions/core'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { Sender } from '../aws/sender.ts'
import { SEED_FAMILY, taskId } from '../protocol/ids.ts'
import type { Part } from '../protocol/part.ts'
import type { Run } from '../protocol/run.ts'
import { encodeTask, newListTask } from '../protocol/task.ts'
import type { Timing } from '../protocol/timing.ts'
import type { Checkpoint } from './checkpoint/checkpoint.ts'
import type { Job } from './follow.ts'
import { counted, named } from './format.ts'
import type { Inputs } from './inputs.ts'
import { Ledger } from './ledger.ts'
import { type Redriven, redrive } from './redrive.ts'
import type { Tools } from './stack/tools.ts'

/**
 * The parts that a run begins with: together they hold every key that it is to copy, once. One part with open ends is
 * all keys of all alphabets; list tasks cut it where keys really are. Cutting it beforehand, at each character that a key may
 * begin with, would cost a request for each that none begins with, and still leave all keys in one part where they
 * begin alike.
 */
export function seeds({ source, prefixes }: Pick<Inputs, 'source' | 'prefixes'>): Part[] {
  const beginnings = prefixes.length === 0 ? [''] : prefixes
  return beginnings.map((beginning) => ({ prefix: source.prefix + beginning, ranges: [{}] }))
}

/** Sends what the run begins with, where that was not done yet, and opens its account. */
export async function seedOnce(
  { clients, outputs, found, signal }: Pick<Job, 'clients' | 'outputs' | 'found' | 'signal'>,
  tools: Tools,
): Promise<Checkpoint> {
  const { checkpoint } = found
  const { run, mode, parts, seeded } = checkpoint
  if (seeded) return checkpoint
  if (mode === 'copy') {
    await seed(clients.sqs, outputs.listQueueUrl, run, parts, tools.timing)
    return { ...checkpoint, seeded: true }
  }
  const redriven = await redrive({ sqs: clients.sqs, stack: outputs, signal }, run, tools)
  tell(redriven)
  const { origins, objects, family } = redriven
  const ledger = new Ledger(origins.size, objects, family).snapshot()
  return { ...checkpoint, seeded: true, origins: [...origins], ledger }
}

/** Sends the first list tasks, one for each part. */
async function seed(
  sqs: SQSClient,
  listQueueUrl: string,
  run: Run,
  parts: Part[],
  timing: Timing,
): Promise<void> {
  const sender = new Sender(sqs, listQueueUrl, run.id, timing)
  for (const [index, part] of parts.entries())
    await sender.send(encodeTask(newListTask(taskId(SEED_FAMILY, index), run, part)))
  await sender.flush()
}

/** Tells what was redriven, and what was not and why. */
function tell({ origins, objects, unreadable, ongoing, elsewhere, more }: Redriven): void {
  const others = elsewhere.size > 0 ? ` ${tellElsewhere(elsewhere)}` : ''
  if (origins.size === 0 && ongoing.size === 0 && !more)
    core.notice(
      `There is nothing to redrive: the dead-letter queue holds no task of an earlier run with this source and destination.${others}`,
    )
  else
    core.info(`Redriving ${counted(origins.size, 'dead-lettered task')} with ${counted(objects, 'object')}`)
  if (unreadable > 0)
    core.warning(
      `Not redriven: ${counted(unreadable, 'message')} in the dead-letter queue that this version of the action can’t read.`,
    )
  if (ongoing.size > 0) core.warning(tellOngoing(ongoing))
  if (more)
    core.warning(
      'The dead-letter queue may hold more messages than this run could read, because there are too many or somebody else is reading them. Redrive again after this run.',
    )
}

/** Tells which places other tasks are of: those given may be mistyped. */
function tellElsewhere(elsewhere: Redriven['elsewhere']): string {
  const others = [...elsewhere].map(([places, tasks]) => `${places} (${tasks})`)
  return `It also holds tasks for other sources and destinations: ${named(others)}.`
}

/** Tells of the tasks that are left to runs that are going on, and what to do where those are so in name only. */
function tellOngoing(ongoing: Redriven['ongoing']): string {
  const tasks = [...ongoing.values()].reduce((sum, count) => sum + count, 0)
  const queues = named([...ongoing.keys()])
  return `Not redriven: ${counted(tasks, 'dead-lettered task')} with this source and destination, because they belong to runs whose queues still exist: ${queues}. If nobody watches such a run any more, delete its queue to stop the run, and redrive again a minute later.`
}
