import type { Listed, Task } from '../../protocol/task.ts'
import type { Timing } from '../../protocol/timing.ts'
import { Packer } from '../packer.ts'
import { Bag } from './bag.ts'
import { Demand } from './demand.ts'
import { sendRest } from './send-rest.ts'
import type { SharedListing } from './shared-listing.ts'
import { dueEachSecond, EVENLY, LATE, restSeconds, spreadSeconds, taskSize } from './spread.ts'

/** A source of no more objects is small: nothing is held back when all was found, and tasks hold so few that all workers have some. */
const FEW_KEYS = 20_000
const FEW_OBJECTS = 40
/**
 * The same goes for the first page, so that Lambda starts workers. What follows comes from near it, and would keep one partition
 * busy for long; in small tasks, it would also make the copy queue look fuller than it is.
 */
const FIRST_KEYS = 1_000
/** Of what is drawn, the share that comes from what was found last: from the parts of the source that go on, of which too little was sent so far. */
const NEWEST_SHARE = 0.7
/** How long tasks wait for others that fill a request with them. */
const DISPATCH_MS = 250
/** How often a list task that stays sends what is due. */
const STAY_MS = 1_000
/** List tasks that wait for a function before get one by themselves: Lambda still starts them. */
const STARTING_SECONDS = 4
/** Less is not told from none. */
const SHORTEST_SECONDS = 0.1
/** Characters of keys in a bag, and tasks to be made of it: more would not fit a function's memory, or not be sent in its time. */
const MOST_CHARACTERS = 300_000_000
const MOST_TASKS = 100_000
/** How fast objects were drawn of late is an average over so many seconds; workers that waited for tasks may become so much faster. */
const RATE_SECONDS = 2
const GROWTH = 2

export type MixerDeps = {
  timing: Timing
  /** Objects in a copy task at most. */
  batchSize: number
  /** The listing that the list task is a part of. */
  listing: SharedListing
  /** Whether the listing begins with this list task. */
  isFirst: boolean
  /** Takes a copy task, to be shown to workers so many seconds later. Called in order, one at a time. */
  send: (objects: Listed[], delaySeconds: number) => Promise<void>
  /** Waits until what was sent has left. */
  dispatch: () => Promise<void>
  /** Tells about how many copy tasks wait for a worker, and list tasks for a list function; undefined when that can't be told. */
  waiting: (kind: Task['kind']) => Promise<number | undefined>
  /** How long the list task may stay when it has found all: milliseconds since the epoch. */
  until: number
}

/**
 * Makes copy tasks of what a list task finds: each holds keys from all over, and at any time as large a share of each part of the
 * keys has been sent. S3 limits each partition by itself, and would have all workers on one while the others idle.
 *
 * What is found goes into a bag, from which objects are drawn by chance: as fast as copying should go at least, faster when
 * workers wait for tasks, and slower when so many tasks wait that workers are far behind. So what is found late is not behind
 * all that was found before. What is left when the list task ends is sent as well, held back for as long as it would have stayed
 * in the bag; for less where workers waited all the time, or the source is of modest size.
 */
export class Mixer {
  readonly #deps: MixerDeps
  readonly #bag: Bag<Listed>
  readonly #packer: Packer
  /** Of the keys of all that was found. */
  #characters = 0
  /** When objects were drawn last, and the part of one that was due beyond them. */
  #drawnAt: number
  #due = 0
  /** Objects drawn in a second, of late. */
  #rate = 0
  /** When all should be copied, in seconds of the listing's age; known when the list task has found all. */
  #endsAt: number | undefined
  readonly #demand: Demand
  /** Whether workers had enough to do, and not far more, since the list task has found all. */
  #isCalm = false
  #dispatchedAt = 0

  constructor(deps: MixerDeps) {
    const { timing, send, waiting } = deps
    this.#deps = deps
    this.#demand = new Demand(timing, () => waiting('copy'))
    this.#bag = new Bag(timing.random)
    this.#drawnAt = timing.now()
    this.#packer = new Packer(send)
  }

  /** Takes what was found, and sends as much as is due. Throws what `send` and `dispatch` throw. */
  async add(objects: readonly Listed[]): Promise<void> {
    this.#deps.listing.add(objects.length)
    this.#bag.put(objects)
    for (const { key } of objects) this.#characters += key.length
    await this.#sendDue()
  }

  /** Whether no more should be found. */
  get isFull(): boolean {
    const { batchSize, listing } = this.#deps
    const characters = (this.#bag.size * this.#characters) / Math.max(1, listing.found)
    return characters > MOST_CHARACTERS || this.#bag.size / batchSize > MOST_TASKS
  }

  /**
   * Sends all that is left. Stays for that as long as it may, unless other list tasks wait for a function: workers that have enough
   * to do now may soon have too little. Of a huge source they will not. Then sends the rest, held back. Throws what `send` and
   * `dispatch` throw.
   */
  async end(): Promise<void> {
    const { timing, listing, until, waiting } = this.#deps
    const { age, foundByAll } = listing
    this.#endsAt = age + restSeconds(age, foundByAll)
    // The rest of a small source is due now, and not only after a pause.
    await this.#sendDue()
    while (this.#bag.size > 0 && timing.now() + STAY_MS < until) {
      this.#isCalm ||= this.#demand.isMet && !this.#demand.isBacklogged
      // It would draw evenly, while others of a huge source will soon hold back.
      if (this.#isCalm && listing.isHuge) break
      if (listing.age > STARTING_SECONDS && ((await waiting('list')) ?? 1) > 0) break
      await timing.sleep(STAY_MS)
      await this.#sendDue()
    }
    await this.#sendRest()
  }

  async #sendDue(): Promise<void> {
    const { timing, batchSize, listing, dispatch } = this.#deps
    const now = timing.now()
    const { age, end } = this.#spread()
    const place = (age / end) ** this.#power
    const more = ((await this.#demand.look(age)) * batchSize) / listing.shares
    const isAllDue = this.#isAllDue
    const count = isAllDue ? this.#bag.size : this.#countDue(now, age, end, more)
    this.#drawnAt = now
    await this.#packer.add(this.#draw(count), {
      most: isAllDue ? Math.min(FEW_OBJECTS, batchSize) : taskSize(batchSize, place, listing.foundByAll),
      delaySeconds: 0,
    })
    if (now - this.#dispatchedAt < DISPATCH_MS) return
    this.#dispatchedAt = now
    await dispatch()
  }

  #draw(count: number): Listed[] {
    if (this.#hasAll) return this.#bag.draw(count)
    const newest = this.#bag.drawNewest(Math.round(NEWEST_SHARE * count))
    return [...newest, ...this.#bag.draw(count - newest.length)]
  }

  /** How many to draw, so that the bag would be empty when the time over which copies are spread is over, and some more. */
  #countDue(now: number, age: number, end: number, more: number): number {
    const passed = (now - this.#drawnAt) / 1000
    this.#due += passed * this.#bag.size * dueEachSecond(age, end, this.#power) + more
    const count = Math.min(this.#bag.size, Math.floor(this.#due))
    this.#due -= Math.floor(this.#due)
    if (passed > 0) this.#rate += (count / passed - this.#rate) * Math.min(1, passed / RATE_SECONDS)
    return count
  }

  /** Sends all that is left, held back for as long as planned; for less where workers have waited for tasks. */
  async #sendRest(): Promise<void> {
    const { listing } = this.#deps
    const { age, end } = this.#spread()
    const planned = end - age
    await sendRest({
      ...this.#deps,
      bag: this.#bag,
      packer: this.#packer,
      found: listing.foundByAll,
      age,
      seconds: this.#demand.isUnmet ? Math.min(planned, this.#secondsAtRate()) : planned,
      // Of a huge source, others soon see that they have to hold back: more would be sent of this task's part than of theirs.
      power: listing.isHuge ? LATE : this.#power,
    })
  }

  /** Seconds that workers take for what is left if they go on as of late, and become faster. */
  #secondsAtRate(): number {
    return this.#bag.size / Math.max(1, GROWTH * this.#rate)
  }

  /** Whether the list task has found all. */
  get #hasAll(): boolean {
    return this.#endsAt !== undefined
  }

  /**
   * By which power of the listing's age copies are due: for all list tasks the same, or what they send would be of other proportions.
   * Where the queue did not fill up while keys were found, it may do so later, as is planned.
   */
  get #power(): number {
    return this.#demand.isBacklogged && !this.#isCalm ? LATE : EVENLY
  }

  /** Whether nothing is held back: of a small source that was found, and of the first page of any. */
  get #isAllDue(): boolean {
    const { isFirst, listing } = this.#deps
    return isFirst && listing.shares === 1 && listing.found <= (this.#hasAll ? FEW_KEYS : FIRST_KEYS)
  }

  /** The age of the listing, and the one by which what is in the bag should be copied, in seconds. */
  #spread(): { age: number; end: number } {
    const { age, foundByAll } = this.#deps.listing
    const end = this.#endsAt ?? age + spreadSeconds(age, foundByAll)
    return { age, end: Math.max(age + SHORTEST_SECONDS, end) }
  }
}
