/** SQS holds a message back for 900 s at most (SQS API reference, SendMessage). */
const LONGEST_SECONDS = 900
/** Copies that one partition of S3 takes in a second (S3 user guide, "Optimizing performance"). */
const PARTITION_COPIES = 3_500
/** Keys that are too few to be mixed. */
const FEW_KEYS = 20_000
/** Each of several lanes has some 24,000 keys or more, and so has work for one partition for longer than this. */
const SECONDS_PER_LANE = 4

/**
 * How long to hold a copy task back: by chance, so that tasks are not copied in the order in which their keys were listed.
 * S3 limits each partition of the keys by itself, and would have all workers on one while others idle. It is never longer
 * than as many partitions as there are lanes take for what is known to be there; small sources are not held back.
 *
 * @param listed keys so far, by this task and those it descends from
 * @param lanes that the task lists side by side
 */
export function shuffleSeconds(listed: number, lanes: number, random: () => number): number {
  const forListed = (listed - FEW_KEYS) / (PARTITION_COPIES * lanes)
  const forLanes = lanes > 1 ? SECONDS_PER_LANE * lanes : 0
  return Math.floor(random() * Math.min(LONGEST_SECONDS, Math.max(forListed, forLanes, 0)))
}
