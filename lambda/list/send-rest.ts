import { LONGEST_DELAY_SECONDS } from '../../protocol/limits.ts'
import type { Listed } from '../../protocol/task.ts'
import type { Timing } from '../../protocol/timing.ts'
import type { Packer } from '../packer.ts'
import type { Bag } from './bag.ts'
import { dueBy, EVENLY, taskSize } from './spread.ts'

/** In so many passes at most, over a second at least. */
const MOST_PASSES = 40
const PASSES_MS = 1_000
/** Objects that are drawn at once: it costs less than one by one, and is less than the smallest task. */
const HANDFUL = 10

export type Rest = {
  timing: Timing
  bag: Bag<Listed>
  packer: Packer
  /** Waits until what was sent has left. */
  dispatch: () => Promise<void>
  /** Objects in a copy task at most. */
  batchSize: number
  /** Objects to copy that the listing has found. */
  found: number
  /** Of the listing, in seconds. */
  age: number
  /** Over which copies of what is left are spread; SQS can't hold back for longer than 15 minutes. */
  seconds: number
  /** By which power of the age they are due. */
  power: number
}

/**
 * Sends all that a list task leaves, held back.
 *
 * In passes: of each second's tasks some leave now and some a little later, between those of other list tasks. SQS holds
 * back by whole seconds, so that a second's tasks would else be together, from the ranges of one list task. Of a large source,
 * each pass begins anywhere: where one takes half a second, a second's tasks would be together in two places.
 *
 * Throws what the packer and `dispatch` throw.
 */
export async function sendRest(rest: Rest): Promise<void> {
  const { timing, bag, packer, dispatch, batchSize, found, age, power } = rest
  const startedAt = timing.now()
  const seconds = Math.min(LONGEST_DELAY_SECONDS, rest.seconds)
  // The rest of an old listing is no tail as a whole.
  const before = Math.min(age, seconds / 2)
  const passes = Math.min(MOST_PASSES, Math.ceil(bag.size / batchSize / Math.max(1, seconds)))
  for (let pass = 0; pass < passes; pass++) {
    await timing.sleep(Math.max(0, startedAt + (pass * PASSES_MS) / passes - timing.now()))
    const left = Math.ceil(bag.size / (passes - pass))
    const first = power === EVENLY ? 0 : HANDFUL * Math.floor((timing.random() * left) / HANDFUL)
    for (let sent = 0; sent < left; sent += HANDFUL) {
      const next = (first + sent) % left
      if (next < HANDFUL) await packer.flush()
      const at = dueBy(next / left, age, age + seconds, power) - age
      const place = ((before + at) / (before + seconds)) ** power
      await packer.add(bag.draw(Math.min(HANDFUL, left - sent)), {
        most: taskSize(batchSize, place, found),
        // Sending takes a while, too: what is left may be much.
        delaySeconds: Math.max(0, at - (timing.now() - startedAt) / 1000),
      })
    }
    await packer.flush()
    await dispatch()
  }
  await packer.flush()
}
