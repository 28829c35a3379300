import { parseTaskId, SEED_FAMILY } from '../protocol/ids.ts'
import { type Family, type FamilySnapshot, readFamily, setBit, writeFamily } from './family.ts'
import { add, type Totals, zero } from './totals.ts'

/** What one settled task adds to the totals, and the children it spawned. */
export type Settlement = {
  task: string
  totals: Partial<Totals>
  /** Missing for a dead letter, which spawned nothing that counts. */
  spawned?: { attempt: string; children: number }
}

/** What a ledger holds, as plain JSON: see {@link Ledger.snapshot}. */
export type LedgerSnapshot = {
  totals: Totals
  expected: number
  settled: number
  families: FamilySnapshot[]
}

/**
 * The account of a run: which tasks exist, which are settled, the totals.
 *
 * Exact over at-least-once, unordered delivery: a task's first settlement counts, later ones don't; the children that
 * exist are those which counted settlements name. Keeps one bit for a copy task, one small record for an attempt that
 * spawned children, of which a number is left when all of them have settled, and nothing for an object.
 */
export class Ledger {
  readonly totals = zero()
  /** A number is a family of so many children that are all settled. */
  readonly #families = new Map<string, Family | number>()
  #expected = 0
  #settled = 0

  /**
   * @param seeds how many tasks the action sends: `seed.0` to `seed.(seeds - 1)`
   * @param listed objects of the copy tasks among them, which no list task of this run will tell of
   * @param family what the seeds are named after instead
   */
  constructor(seeds: number, listed = 0, family = SEED_FAMILY) {
    this.totals.listed = listed
    this.#adopt({ attempt: family, children: seeds })
  }

  /** A ledger that goes on where the one of the snapshot was. */
  static from({ totals, expected, settled, families }: LedgerSnapshot): Ledger {
    const ledger = new Ledger(0)
    Object.assign(ledger.totals, totals)
    ledger.#expected = expected
    ledger.#settled = settled
    for (const family of families) ledger.#families.set(family[0], readFamily(family))
    return ledger
  }

  /** All that it holds as plain JSON: about 30 bytes for an attempt that spawned children, a bit for an open one's child. */
  snapshot(): LedgerSnapshot {
    return {
      totals: { ...this.totals },
      expected: this.#expected,
      settled: this.#settled,
      families: [...this.#families].map(([attempt, family]) => writeFamily(attempt, family)),
    }
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
    if (typeof family === 'number' || (family.live && name.index >= family.size)) return false
    if (!setBit(family, name.index)) return false
    const brood = spawned && spawned.children > 0 ? spawned : undefined
    if (family.live) {
      this.#settled++
      add(this.totals, totals)
      this.#closeIfSettled(name.family, family)
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
    if (typeof family === 'number') return name.index < family
    return family?.live === true && name.index < family.size
  }

  /** Makes a family part of the run, and with it all that its settled children named. */
  #adopt(first: { attempt: string; children: number }): void {
    const queue = [first]
    for (let next = queue.pop(); next; next = queue.pop()) {
      const family = this.#family(next.attempt)
      if (typeof family === 'number' || family.live) continue
      family.live = true
      family.size = next.children
      this.#expected += family.size
      this.#settled += family.settledCount
      add(this.totals, family.held)
      for (const held of family.heldFamilies) queue.push(held)
      this.#closeIfSettled(next.attempt, family)
    }
  }

  #closeIfSettled(attempt: string, { settledCount, size }: Family): void {
    if (settledCount === size) this.#families.set(attempt, size)
  }

  #family(attempt: string): Family | number {
    const known = this.#families.get(attempt)
    if (known !== undefined) return known
    const family = {
      live: false,
      size: 0,
      settled: new Uint32Array(1),
      settledCount: 0,
      held: zero(),
      heldFamilies: [],
    }
    this.#families.set(attempt, family)
    return family
  }
}
