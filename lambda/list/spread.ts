import { LONGEST_DELAY_SECONDS } from '../../protocol/limits.ts'

/** Copies that one partition of S3 takes in a second (S3 user guide, "Optimizing performance"). */
const PARTITION_COPIES = 3_500
/**
 * What is listed early is copied by then: nearly as long as four partitions take for a million objects. What is listed later is
 * copied over as long as the listing has taken so far.
 */
const FIRST_SECONDS = 60
/** Of no more than so many objects, the rest is spread as for so many partitions: one copies them in a minute, and four should not wait for it. */
const MODEST = 200_000
const PARTITIONS = 4
/** So many objects, of those copied last, go in smaller tasks than others, */
const LAST_OBJECTS = 100_000
/** but no smaller share of a source, and no larger one: in a source of modest size, workers may still be of very unequal pace by then. */
const [LEAST_SHARE, MOST_SHARE] = [0.03, 0.5]
/** and the size of the smallest beside that of the others. */
const SMALLEST = 0.1

/**
 * Seconds over which to spread the copies of what a list task has found and not sent yet: no more than SQS can hold a message
 * back for, nor than one partition takes for what was found so far.
 *
 * @param age of the listing of the source, in seconds
 * @param found objects to copy that the listing has found so far
 */
export function spreadSeconds(age: number, found: number): number {
  const longest = Math.max(FIRST_SECONDS - age, age)
  return Math.min(LONGEST_DELAY_SECONDS, longest, found / PARTITION_COPIES)
}

/** The same for what is left when a list task has found all; less for a source of modest size, of which no part is a long wait. */
export function restSeconds(age: number, found: number): number {
  const seconds = spreadSeconds(age, found)
  return found > MODEST ? seconds : Math.min(seconds, found / (PARTITIONS * PARTITION_COPIES))
}

/** How copies are spread over a time: by which power of the time that has passed they are due. */
export const EVENLY = 1
/** While list tasks are far ahead of workers: little, until most of the source is found, in the proportions that it really has. */
export const LATE = 3

/** Of what is to be copied and was not, the share that is due each second at an age, in seconds; all is by the end. */
export function dueEachSecond(age: number, end: number, power: number): number {
  return (power * age ** (power - 1)) / (end ** power - age ** power)
}

/** The age, in seconds, by which such a share of it is due. */
export function dueBy(share: number, age: number, end: number, power: number): number {
  return (age ** power + share * (end ** power - age ** power)) ** (1 / power)
}

/**
 * Objects in a copy task: as many as the run allows, since each task costs its messages, but few in those that are copied last, so
 * that no worker is long at one while the others have nothing left.
 *
 * @param most as the run says
 * @param place the task's, from 0 to 1, among those of the listing in the order in which they are copied
 * @param found objects to copy that the listing has found so far
 */
export function taskSize(most: number, place: number, found: number): number {
  const last = Math.max(LEAST_SHARE, Math.min(MOST_SHARE, LAST_OBJECTS / found))
  return Math.ceil(most * Math.min(1, Math.max(SMALLEST, (1 - place) / last)))
}
