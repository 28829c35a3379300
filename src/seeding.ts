import * as core from '@actions/core'
import type { Timing } from '../protocol/timing.ts'
import type { Checkpoint } from './checkpoint/checkpoint.ts'
import type { Job } from './follow.ts'
import { counted } from './format.ts'
import { Ledger } from './ledger.ts'
import { redrive } from './redrive.ts'
import { seed } from './run.ts'
import type { Tools } from './stack/tools.ts'

/** Sends what the run begins with, where that was not done yet, and opens its account. */
export async function seedOnce(
  { clients, outputs, found, signal }: Pick<Job, 'clients' | 'outputs' | 'found' | 'signal'>,
  tools: Tools & { timing: Timing },
): Promise<Checkpoint> {
  const { checkpoint } = found
  const { run, mode, parts, seeded } = checkpoint
  if (seeded) return checkpoint
  if (mode === 'copy') {
    await seed(clients.sqs, outputs.listQueueUrl, run, parts, tools.timing)
    return { ...checkpoint, seeded: true }
  }
  const { family, origins, objects, unreadable, more } = await redrive(
    { sqs: clients.sqs, stack: outputs, signal },
    run,
    tools,
  )
  if (origins.size === 0 && !more)
    core.notice(
      'The dead-letter queue holds no task of an earlier run between these places: nothing to redrive.',
    )
  else
    core.info(`Redriving ${counted(origins.size, 'dead-lettered task')} with ${counted(objects, 'object')}`)
  if (unreadable > 0)
    core.warning(
      `${counted(unreadable, 'message')} in the dead-letter queue can’t be read as tasks of this version of the action, and stay there.`,
    )
  if (more)
    core.warning(
      'The dead-letter queue may hold more messages than this run came across, because there are many or somebody else looks at them: redrive again after this one.',
    )
  const ledger = new Ledger(origins.size, objects, family).snapshot()
  return { ...checkpoint, seeded: true, origins: [...origins], ledger }
}
