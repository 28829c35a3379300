/** Bytes of an outcome's body at most: SQS takes 1 MiB a message, 256 KiB on older endpoints. */
export const OUTCOME_BYTES = 256 * 1024

/**
 * Bytes of a task's body at most. At worst its outcome repeats every key with a code and a reason: half of an outcome's
 * limit leaves room for these, with the reasons shortened if need be.
 */
export const TASK_BYTES = 128 * 1024

/** Bytes of one SendMessageBatch at most: the sum over its entries has the same limit as one message. */
export const BATCH_BYTES = 250 * 1024

/** Seconds that SQS holds a message back at most (SQS API reference, SendMessage). */
export const LONGEST_DELAY_SECONDS = 900
