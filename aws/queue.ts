/** Whether an SQS call failed because its queue does not exist; SQS names it in two ways, by protocol. */
export function isQueueGone(error: unknown): boolean {
  const name = (error as Error | undefined)?.name
  return name === 'QueueDoesNotExist' || name === 'AWS.SimpleQueueService.NonExistentQueue'
}

/**
 * Tries of each SQS call, the first included; between them the SDK backs off, up to 20 s. Its own 3 are soon used up when
 * SQS throttles, and one call that fails for good costs a worker its task's attempt, and the action its run.
 */
export const SQS_ATTEMPTS = 10
