import type { Listing } from '../../protocol/task.ts'
import type { Timing } from '../../protocol/timing.ts'

/**
 * A source of more objects is large: more than a million, which a list task takes for more when its own share is larger than others'.
 * So is one that takes longer to list, whatever a share of it makes one think: a million take 13 s.
 */
const LARGE = 1_200_000
const LARGE_SECONDS = 15
/** A source of more is huge: of a million that ten share, a list task would have to find a third alone to take it for one. */
const HUGE = 3_000_000

/** What a list task knows of the listing that it shares with others: it assumes that each of them finds as much as itself. */
export class SharedListing {
  readonly #timing: Timing
  /** As it was last known, and what the list task itself had found by then. */
  #known: Listing
  #foundBefore = 0
  #found = 0

  constructor(known: Listing, timing: Timing) {
    this.#known = known
    this.#timing = timing
  }

  /** Takes note that the list task has found so many objects to copy. */
  add(objects: number): void {
    this.#found += objects
  }

  /** Takes note that so many more come to share the listing: none of them has found what was found before. Returns the listing for them. */
  shareWith(others: number): Listing {
    const known = this.forNext
    this.#known = { ...known, shares: known.shares + others }
    this.#foundBefore = this.#found
    return this.#known
  }

  /** The listing for a list task that takes over what this one leaves. */
  get forNext(): Listing {
    return { ...this.#known, found: Math.round(this.foundByAll) }
  }

  /** Tasks that share the listing. */
  get shares(): number {
    return this.#known.shares
  }

  /** Objects to copy that the list task itself has found. */
  get found(): number {
    return this.#found
  }

  /** About how many all have found together. */
  get foundByAll(): number {
    const { found, shares } = this.#known
    return found + (this.#found - this.#foundBefore) * shares
  }

  /** Whether it is known to be of many keys. */
  get isLarge(): boolean {
    return this.foundByAll > LARGE || this.age > LARGE_SECONDS
  }

  /** Whether it is known to be of several million keys. */
  get isHuge(): boolean {
    return this.foundByAll > HUGE
  }

  /** Seconds that it has taken. Clocks of machines may differ. */
  get age(): number {
    return Math.max(0, this.#timing.now() - this.#known.began) / 1000
  }
}
