import type { StepResult } from '../runner.ts'
import { toText } from '../s3/bytes.ts'
import type { Store } from '../s3/index.ts'

/** What a run says that has lost tasks, and is found to never end. */
export const STALLED = /queues have been empty for minutes/

/** What an independent look at the two buckets says. */
type Sides = { source: number; missing: string[]; strange: string[] }

/** Compares two buckets, by key and content. */
export function compareSides(store: Store, source: string, destination: string): Sides {
  const [from, to] = [source, destination].map((bucket) => {
    const keys = [...store.bucket(bucket).objects.keys()].map(toText)
    return new Map(keys.map((key) => [key, store.get(bucket, key)?.etag]))
  }) as [Map<string, string>, Map<string, string>]
  return {
    source: from.size,
    missing: [...from].filter(([key, etag]) => to.get(key) !== etag).map(([key]) => key),
    strange: [...to.keys()].filter((key) => !from.has(key)),
  }
}

/**
 * What is wrong with a run that came to its end; empty when nothing is.
 * @param reported keys in the run's report, with repetitions
 * @param robbed whether tasks were taken away from the run: then it is to stall, and to say how many objects are missing
 */
export function violations(
  { outputs, exitCode, log }: StepResult,
  sides: Sides,
  reported: string[],
  robbed = false,
): string[] {
  const count = (name: string) => Number(outputs[name])
  const [listed, copied, failed, dead] = ['listed', 'copied', 'failed', 'dlq-objects'].map(count) as [
    number,
    number,
    number,
    number,
  ]
  if (outputs.listed === undefined) return [`the run ended without outputs: ${lastError(log)}`]
  const found: string[] = []
  const claim = (holds: boolean, problem: string) => {
    if (!holds) found.push(problem)
  }
  const settled = copied + count('skipped') + count('vanished') + failed + dead
  const unlisted = /could not be listed/.test(log)
  const lost = listed - settled
  if (robbed) claim(lost > 0 && STALLED.test(log), 'nothing was found to be lost')
  else
    claim(
      lost === 0,
      `listed ${listed} is not copied + skipped + vanished + failed + dead-lettered = ${settled}`,
    )
  claim(
    unlisted ? listed <= sides.source : listed === sides.source,
    `listed ${listed} of ${sides.source} objects`,
  )
  // What a task copied before it died is there and reported; what a list task spawned before it died is there and not counted.
  const there = sides.source - new Set([...sides.missing, ...reported]).size
  const done = copied + count('skipped')
  claim(
    unlisted ? done <= there : done === there,
    `copied or skipped ${done}, but ${there} are there and not reported`,
  )
  claim(sides.strange.length === 0, `${sides.strange.length} objects that the source does not have`)
  claim(new Set(reported).size === reported.length, 'an object is reported twice')
  claim(reported.length === failed + dead, `${reported.length} objects reported of ${failed + dead}`)
  const unexplained = sides.missing.filter((key) => !reported.includes(key))
  claim(
    unlisted || unexplained.length === lost,
    `${unexplained.length} objects are missing and not reported, ${lost} are told to be`,
  )
  const complete = failed + count('dlq') + lost === 0 && !unlisted
  claim(complete === (exitCode === 0), `exit code ${exitCode}: ${lastError(log)}`)
  return found
}

function lastError(log: string): string {
  return (
    log
      .split('\n')
      .findLast((line) => line.startsWith('::error'))
      ?.slice(0, 500) ?? 'no error was told'
  )
}
