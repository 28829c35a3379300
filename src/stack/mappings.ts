import {
  type EventSourceMappingConfiguration,
  GetEventSourceMappingCommand,
  type LambdaClient,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { StackOutputs } from './outputs.ts'
import { activeRuns } from './runs.ts'
import type { Tools } from './tools.ts'

const POLL_MS = 1_000
/** A mapping is in a change for seconds; after this long something is wrong with it. */
const LONGEST_MS = 5 * 60_000
/** Lambda refuses an update while an earlier one is being carried out (Lambda API reference, UpdateEventSourceMapping). */
const BUSY = ['ResourceInUseException', 'ResourceConflictException', 'TooManyRequestsException']

type Mappings = Pick<StackOutputs, 'listMappingId' | 'copyMappingId'>

/**
 * Lets the stack poll its queues: enables its event source mappings. Two API calls. Call it after the run queue was
 * created (see {@link pauseIfIdle}). Polling begins within seconds, up to a minute: see {@link untilEnabled}.
 */
export async function resume(
  lambda: LambdaClient,
  mappings: Mappings,
  tools: Pick<Tools, 'timing'>,
): Promise<void> {
  await Promise.all(idsOf(mappings).map((id) => setEnabled(lambda, id, true, tools)))
}

/**
 * Waits until the mappings are enabled; the run can be seeded meanwhile. One that is disabled by then is enabled again:
 * another run's pause may have come after {@link resume}. Ends early, and enables nothing more, when the signal is aborted.
 * Throws when it takes minutes.
 */
export async function untilEnabled(
  lambda: LambdaClient,
  mappings: Mappings,
  signal: AbortSignal,
  tools: Pick<Tools, 'timing'>,
): Promise<void> {
  const { timing } = tools
  const startedAt = timing.now()
  for (const id of idsOf(mappings))
    while (!signal.aborted) {
      const { State, StateTransitionReason } = await enableAgain(lambda, id, tools)
      if (State === 'Enabled') break
      if (timing.now() - startedAt > LONGEST_MS)
        throw new Error(
          `the event source mapping ${id} is still ${State} (${StateTransitionReason}) after ${LONGEST_MS / 60_000} minutes`,
        )
      await timing.sleep(POLL_MS)
    }
}

/**
 * Enables a mapping that somebody has disabled in the meantime. For when a run gets no further. Returns whether one was
 * found disabled. Two API calls.
 */
export async function keepEnabled(
  lambda: LambdaClient,
  mappings: Mappings,
  tools: Pick<Tools, 'timing'>,
): Promise<boolean> {
  const found = await Promise.all(idsOf(mappings).map((id) => enableAgain(lambda, id, tools)))
  return found.some(isDisabled)
}

/**
 * Disables the mappings when no run is going on, so that an idle stack polls nothing. Call it after the own run queue was
 * deleted. Returns the URLs of the run queues of the runs that are going on; when there are none, the stack is paused now.
 *
 * A run that begins meanwhile is not left waiting. A run creates its queue first and enables the mappings then; here they
 * are disabled first and the queues listed again then. Whichever order the four steps come in, either the run enables
 * last, or its queue is seen in the second list and the mappings are enabled again. Where the list is behind (SQS may take
 * a while to name a new queue), the run finds out itself by {@link untilEnabled} or {@link keepEnabled}.
 *
 * @param over id of the run that is over, if there was one
 */
export async function pauseIfIdle(
  { lambda, sqs }: { lambda: LambdaClient; sqs: SQSClient },
  stack: Mappings & Pick<StackOutputs, 'runQueuePrefix'>,
  over: string | undefined,
  tools: Pick<Tools, 'timing'>,
): Promise<string[]> {
  const listActive = () => activeRuns(sqs, stack.runQueuePrefix, tools.timing.now(), over)
  const before = await listActive()
  if (before.length > 0) return before
  await Promise.all(idsOf(stack).map((id) => setEnabled(lambda, id, false, tools)))
  const since = await listActive()
  if (since.length > 0) await Promise.all(idsOf(stack).map((id) => setEnabled(lambda, id, true, tools)))
  return since
}

function idsOf({ listMappingId, copyMappingId }: Mappings): string[] {
  return [listMappingId, copyMappingId]
}

/** Enables a mapping if it is disabled, or about to be. Returns how it was found. */
async function enableAgain(
  lambda: LambdaClient,
  id: string,
  tools: Pick<Tools, 'timing'>,
): Promise<EventSourceMappingConfiguration> {
  const found = await lambda.send(new GetEventSourceMappingCommand({ UUID: id }))
  if (isDisabled(found)) await setEnabled(lambda, id, true, tools)
  return found
}

function isDisabled({ State = '' }: EventSourceMappingConfiguration): boolean {
  return /^Disabl/.test(State)
}

async function setEnabled(
  lambda: LambdaClient,
  id: string,
  enabled: boolean,
  { timing }: Pick<Tools, 'timing'>,
): Promise<void> {
  const startedAt = timing.now()
  for (;;) {
    try {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: id, Enabled: enabled }))
      return
    } catch (error) {
      if (!BUSY.includes((error as Error).name) || timing.now() - startedAt > LONGEST_MS) throw error
      await timing.sleep(POLL_MS)
    }
  }
}
