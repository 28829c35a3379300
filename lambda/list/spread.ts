/**
 * Seconds over which the copy tasks of each generation of list tasks are spread; of later ones like the last. A list task
 * has children when it sees some 50,000 keys or more, so that these seconds are few beside what the run takes.
 */
const SPREAD_SECONDS = [0, 16, 30]

/**
 * How long to hold a copy task back: by chance, so that tasks of neighbouring keys, which are listed in a row, are not
 * copied in a row. S3 limits each partition of the keys by itself, and would have all workers on one while others idle.
 *
 * @param generation of the list task that it comes from, from 0
 */
export function spreadSeconds(generation: number, random: () => number): number {
  const last = SPREAD_SECONDS.length - 1
  return Math.floor(random() * (SPREAD_SECONDS[Math.min(generation, last)] as number))
}
