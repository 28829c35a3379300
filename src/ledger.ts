import { parseTaskId, SEED_FAMILY } from '../protocol/ids.ts'

/** Objects, bytes and dead tasks, as the outcomes and dead letters of a run add up. */
export type Totals = {
  listed: number
  copied: number
  skipped: number
  failed: number
  /** Objects of copy tasks in the DLQ. */
  deadObjects: number
  /** Tasks in the DLQ. */
  deadTasks: number
  /** Bytes of the copied objects. */
  bytes: number
}

/** What one settled task adds to the totals, and the children it spawned. */
export type Settlement = {
  task: string
  totals: Partial<Totals>
  /** Missing for a dead letter, which spawned nothing that counts. */
  spawned?: { attempt: string; children: number }
}

/**
 * The children of one attempt. SQS delivers outcomes in any order, so children may report before the outcome that
 * names them; what they say is held until then, and for ever when another attempt at their parent was counted.
 */
type Family = {
  live: boolean
  /** How many children the counted outcome named. Known once live. */
  size: number
  /** A bit for each child that has settled. */
  settled: Uint32Array
  settledCount: number
  held: Totals
  heldFamilies: { attempt: string; children: number }[]
}

/**
 * The account of a run: which tasks exist, which are settled, the totals.
 *
 * Exact over at-least-once, unordered delivery: a task's first settlement counts, later ones don't; the children that
 * exist are those which counted settlements name. Keeps one bit for a copy task and one small record for an attempt that
 * spawned children, nothing for an object.
 */
export class Ledger {
  readonly totals = zero()
  readonly #families = new Map<string, Family>()
  #expected = 0
  #settled = 0

  /** @param seeds how many tasks the action sends: `seed.0` to `seed.(seeds - 1)` */
  constructor(seeds: number) {
    this.#adopt({ attempt: SEED_FAMILY, children: seeds })
  }

  /** Tasks known to exist and not settled. */
  get open(): number {
    return this.#expected - this.#settled
  }

  /** Tasks settled so far. */
  get settled(): number {
    return this.#settled
  }

  /** Every task that exists is settled. Once true it stays true. */
  get done(): boolean {
    return this.open === 0
  }

  /**
   * Takes a settlement in.
   * @returns whether it is the first of its task; {@link counts} tells whether that task is part of the run
   */
  settle({ task, totals, spawned }: Settlement): boolean {
    const name = parseTaskId(task)
    if (!name) return false
    const family = this.#family(name.family)
    if (family.live && name.index >= family.size) return false
    if (!setBit(family, name.index)) return false
    const brood = spawned && spawned.children > 0 ? spawned : undefined
    if (family.live) {
      this.#settled++
      add(this.totals, totals)
      if (brood) this.#adopt(brood)
    } else {
      add(family.held, totals)
      if (brood) family.heldFamilies.push(brood)
    }
    return true
  }

  /** Whether a task exists: a counted outcome (or the action) named it. What is said of any other task is held back. */
  counts(task: string): boolean {
    const name = parseTaskId(task)
    if (!name) return false
    const family = this.#families.get(name.family)
    return family?.live === true && name.index < family.size
  }

  /** Makes a family part of the run, and with it all that its settled children named. */
  #adopt(first: { attempt: string; children: number }): void {
    const queue = [first]
    for (let next = queue.pop(); next; next = queue.pop()) {
      const family = this.#family(next.attempt)
      if (family.live) continue
      family.live = true
      family.size = next.children
      this.#expected += family.size
      this.#settled += family.settledCount
      add(this.totals, family.held)
      queue.push(...family.heldFamilies)
      family.heldFamilies = []
    }
  }

  #family(attempt: string): Family {
    let family = this.#families.get(attempt)
    if (!family) {
      family = {
        live: false,
        size: 0,
        settled: new Uint32Array(1),
        settledCount: 0,
        held: zero(),
        heldFamilies: [],
      }
      this.#families.set(attempt, family)
    }
    return family
  }
}

function zero(): Totals {
  return { listed: 0, copied: 0, skipped: 0, failed: 0, deadObjects: 0, deadTasks: 0, bytes: 0 }
}

function add(sum: Totals, more: Partial<Totals>): void {
  for (const [name, value] of Object.entries(more)) sum[name as keyof Totals] += value
}

/** Marks child `index` as settled; false when it already was. */
function setBit(family: Family, index: number): boolean {
  const word = index >>> 5
  const bit = 1 << (index & 31)
  if (word >= family.settled.length) {
    const grown = new Uint32Array(Math.max(word + 1, family.settled.length * 2))
    grown.set(family.settled)
    family.settled = grown
  }
  const bits = family.settled[word] as number
  if (bits & bit) return false
  family.settled[word] = bits | bit
  family.settledCount++
  return true
}
