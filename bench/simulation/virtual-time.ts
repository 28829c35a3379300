import type { Timing } from '../../protocol/timing.ts'

/**
 * Time that jumps from one sleeper's end to the next, so that hours pass in seconds and the same seed gives the same
 * run. Whatever runs on it may wait only for its sleeps and for promises that other such code keeps.
 */
export class VirtualTime implements Timing {
  #now = 0
  #order = 0
  readonly #heap: { at: number; order: number; wake: () => void }[] = []
  readonly random: () => number

  constructor(seed = 1) {
    this.random = seededRandom(seed)
  }

  /** Milliseconds since the start. */
  readonly now = (): number => this.#now

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => {
      push(this.#heap, { at: this.#now + Math.max(0, ms), order: this.#order++, wake })
    })

  /** Lets time pass until `done` settles. Throws when everybody waits and nobody sleeps. */
  async run<T>(done: Promise<T>): Promise<T> {
    let settled = false
    const result = done.finally(() => {
      settled = true
    })
    result.catch(() => {})
    for (;;) {
      // A turn of the event loop comes after all promises that can be kept now have been.
      await new Promise((resolve) => setImmediate(resolve))
      if (settled) return await result
      const next = pop(this.#heap)
      if (!next) throw new Error('nothing is left to happen, and what was waited for has not')
      this.#now = next.at
      next.wake()
      while (this.#heap[0] && this.#heap[0].at === this.#now) pop(this.#heap)?.wake()
    }
  }
}

/** A small generator of reproducible chance (mulberry32's recurrence). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Timed = { at: number; order: number }

function before(a: Timed, b: Timed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push<T extends Timed>(heap: T[], item: T): void {
  heap.push(item)
  let child = heap.length - 1
  while (child > 0) {
    const parent = (child - 1) >> 1
    if (!before(heap[child] as T, heap[parent] as T)) return
    swap(heap, child, parent)
    child = parent
  }
}

function pop<T extends Timed>(heap: T[]): T | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (top === undefined || last === undefined || heap.length === 0) return top
  heap[0] = last
  let parent = 0
  for (;;) {
    let least = parent
    for (const child of [2 * parent + 1, 2 * parent + 2])
      if (child < heap.length && before(heap[child] as T, heap[least] as T)) least = child
    if (least === parent) return top
    swap(heap, parent, least)
    parent = least
  }
}

function swap<T>(items: T[], a: number, b: number): void {
  const kept = items[a] as T
  items[a] = items[b] as T
  items[b] = kept
}
