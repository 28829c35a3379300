import { paginateListQueues, type SQSClient } from '@aws-sdk/client-sqs'
import { queueExists } from '../../aws/queue.ts'
import { isDrained, readDepths } from '../depths.ts'
import { deleteRunQueue } from '../run-queue.ts'
import type { StackOutputs } from './outputs.ts'

/** A run queue that is older was left behind: SQS keeps no message longer (SQS quotas). */
const LONGEST_RUN_MS = 14 * 24 * 3600_000
/** How a run's id begins: the UTC time at which it was made (protocol/ids.ts). */
const STARTED = /^(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})-/

/**
 * URLs of the run queues of the runs that are going on.
 *
 * ListQueues may name a queue for a while after it was deleted, so each is asked for. That may be answered for a minute, too
 * (SQS API reference, DeleteQueue): hence `over`. It may also take a while to name a new one: see {@link pauseIfIdle} for what
 * is done about that.
 *
 * @param now milliseconds since the epoch
 * @param over id of a run whose queue was deleted just now. Of two that end within that minute, each may still see the other
 */
export async function activeRuns(
  sqs: SQSClient,
  runQueuePrefix: string,
  now: number,
  over?: string,
): Promise<string[]> {
  const urls = (await runQueues(sqs, runQueuePrefix)).filter(
    (url) => !isAbandoned(url, runQueuePrefix, now) && runIdOf(url, runQueuePrefix) !== over,
  )
  const alive = await Promise.all(urls.map((url) => queueExists(sqs, url)))
  return urls.filter((_, index) => alive[index])
}

/**
 * Deletes the run queues that were left behind, and returns the ids of their runs. None is deleted while a task waits or
 * is being worked on: it could be one of theirs.
 *
 * @param now milliseconds since the epoch
 */
export async function removeAbandoned(sqs: SQSClient, stack: StackOutputs, now: number): Promise<string[]> {
  const prefix = stack.runQueuePrefix
  const urls = (await runQueues(sqs, prefix)).filter((url) => isAbandoned(url, prefix, now))
  if (urls.length === 0 || !isDrained(await readDepths(sqs, stack))) return []
  await Promise.all(urls.map((url) => deleteRunQueue(sqs, url)))
  return urls.map((url) => runIdOf(url, prefix))
}

/** Runs for people: a line for each queue. */
export function listRuns(queueUrls: string[], runQueuePrefix: string): string {
  return queueUrls.map((url) => `- ${runIdOf(url, runQueuePrefix)}, with the queue ${url}`).join('\n')
}

/** The id of the run that a run queue is of. */
export function runIdOf(queueUrl: string, runQueuePrefix: string): string {
  return queueUrl.slice(queueUrl.lastIndexOf('/') + 1).slice(runQueuePrefix.length)
}

async function runQueues(sqs: SQSClient, runQueuePrefix: string): Promise<string[]> {
  const urls: string[] = []
  for await (const { QueueUrls = [] } of paginateListQueues(
    { client: sqs },
    { QueueNamePrefix: runQueuePrefix, MaxResults: 1000 },
  ))
    urls.push(...QueueUrls)
  return urls
}

function isAbandoned(queueUrl: string, runQueuePrefix: string, now: number): boolean {
  const [, ...parts] = STARTED.exec(runIdOf(queueUrl, runQueuePrefix)) ?? []
  if (parts.length === 0) return false
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map(Number)
  return now - Date.UTC(year, month - 1, day, hour, minute, second) > LONGEST_RUN_MS
}
