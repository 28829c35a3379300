export type Message = { id: string; body: string; receives: number }

/** Messages that may come next: standard queues keep order more or less. */
const NEXT = 50
/** Depths are noted that often. */
const NOTE_EVERY_MS = 100

/** One queue: messages wait until they are received, and come back when nobody has deleted them in time. */
export class Queue {
  #waiting: Message[] = []
  /** Where the messages that wait begin. */
  #head = 0
  readonly inFlight = new Map<string, { message: Message; hidden: number }>()
  /** Woken when a message comes. */
  readonly receivers: (() => void)[] = []

  /** Depths, each with the time from which on it was that. */
  readonly #depths: { ms: number; depth: number }[] = []

  get depth(): number {
    return this.#waiting.length - this.#head
  }

  /** @param ms the time by now, as in all that change the depth */
  put(message: Message, ms: number): void {
    this.#waiting.push(message)
    this.#note(ms)
  }

  /** One of the oldest. */
  take(random: () => number, ms: number): Message {
    const waiting = this.#waiting
    const oldest = this.#head
    const index = oldest + Math.floor(random() * Math.min(this.depth, NEXT))
    const message = waiting[index] as Message
    waiting[index] = waiting[oldest] as Message
    this.#head++
    if (this.#head > 10_000) {
      waiting.splice(0, this.#head)
      this.#head = 0
    }
    this.#note(ms)
    return message
  }

  depthAt(ms: number): number {
    return this.#depths.findLast((noted) => noted.ms <= ms)?.depth ?? 0
  }

  takeAll(ms: number): Message[] {
    const all = this.#waiting.slice(this.#head)
    this.#waiting = []
    this.#head = 0
    this.#note(ms)
    return all
  }

  #note(ms: number): void {
    const last = this.#depths.at(-1)
    if (last && last.ms > ms - NOTE_EVERY_MS) last.depth = this.depth
    else this.#depths.push({ ms, depth: this.depth })
  }
}
