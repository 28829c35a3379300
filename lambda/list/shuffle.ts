import { LONGEST_DELAY_SECONDS } from '../../protocol/message.ts'

/** Copies that one partition of S3 takes in a second (S3 user guide, "Optimizing performance"). */
const PARTITION_COPIES = 3_500
/** What is listed early is copied by then: as long as six partitions take for a million objects. */
const FIRST_SECONDS = 45
/** What is listed later is held back for up to so many times the age of the listing. */
const TIMES_AGE = 2
/** The share of tasks, of those copied last, that are smaller than others, */
const SMALLER = 0.2
/** and the size of the smallest beside that of the others. */
const SMALLEST = 0.1

/**
 * How long to hold a copy task back: by chance, so that tasks are not copied in the order in which their keys were listed.
 * S3 limits each partition of the keys by itself, and would have all workers on one while others idle. It is never longer
 * than one partition takes for what was found so far.
 *
 * @param ageMs of the listing of the source
 * @param found objects to copy that the listing has found so far
 * @param chance from 0 to 1: of tasks that are sent at the same time, those with more are copied later
 */
export function shuffleSeconds(ageMs: number, found: number, chance: number): number {
  const age = ageMs / 1000
  const longest = Math.max(FIRST_SECONDS - age, TIMES_AGE * age)
  return Math.floor(chance * Math.min(LONGEST_DELAY_SECONDS, longest, found / PARTITION_COPIES))
}

/**
 * Objects in a copy task: as many as the run allows, since each task costs its messages, but few in those that are copied last, so
 * that no worker is long at one while the others have nothing left.
 *
 * @param most as the run says
 * @param chance the task's, as in {@link shuffleSeconds}
 */
export function taskSize(most: number, chance: number): number {
  return Math.ceil(most * Math.min(1, Math.max(SMALLEST, (1 - chance) / SMALLER)))
}
