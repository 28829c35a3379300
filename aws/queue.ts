/** Whether an SQS call failed because its queue does not exist; SQS names it in two ways, by protocol. */
export function isQueueGone(error: unknown): boolean {
  const name = (error as Error | undefined)?.name
  return name === 'QueueDoesNotExist' || name === 'AWS.SimpleQueueService.NonExistentQueue'
}
