import type { Timing } from '../../protocol/timing.ts'
import type { Books } from '../books.ts'
import type { Delivery } from '../inbox.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { CheckpointStore, Found } from './store.ts'

/** A watcher that has not saved for so long is taken for dead. Clocks that differ cost time, not exactness: writes are conditional. */
export const LEASE_MS = 120_000
/** Outcomes wait so long for their checkpoint at most, and half a minute while nothing comes. */
const EVERY_MS = 10_000
const IDLE_MS = 30_000
/** Messages held undeleted: far below the 120,000 that SQS lets be in flight (SQS quotas), a few MB of receipts. */
const MOST_PENDING = 5_000
/** Bytes of failures in one segment, about. */
const SEGMENT_BYTES = 4 * 1024 * 1024

/** Another watcher has taken the run over, or it was ended elsewhere. */
export class LeaseLostError extends Error {
  override name = 'LeaseLostError'
}

/**
 * Saves a run's books, and only then takes the outcomes that they contain off the run queue: whoever goes on from a
 * checkpoint gets every outcome that is not in it, and the ledger knows those that are.
 */
export class Saver {
  #pending: Delivery[] = []
  #pendingCount = 0
  #etag: string
  #checkpoint: Checkpoint

  readonly #store: CheckpointStore
  readonly #books: Books
  readonly #timing: Pick<Timing, 'now'>

  constructor(
    store: CheckpointStore,
    { checkpoint, etag }: Found,
    books: Books,
    timing: Pick<Timing, 'now'>,
  ) {
    this.#store = store
    this.#checkpoint = checkpoint
    this.#etag = etag
    this.#books = books
    this.#timing = timing
  }

  /** Call it when a delivery, maybe an empty one, is in the books. Saves when it is time. Throws LeaseLostError. */
  async took(delivery: Delivery): Promise<void> {
    this.#pending.push(delivery)
    this.#pendingCount += delivery.bodies.length
    const waited = this.#timing.now() - this.#checkpoint.savedAt
    if (
      waited >= (this.#pendingCount > 0 ? EVERY_MS : IDLE_MS) ||
      this.#pendingCount >= MOST_PENDING ||
      this.#books.failures.unsaved >= SEGMENT_BYTES
    )
      await this.save()
  }

  /** Saves for somebody else to go on at once. Throws LeaseLostError. */
  async release(): Promise<void> {
    await this.save(0)
  }

  /** @param leaseMs for how long others are to leave the run alone */
  async save(leaseMs = LEASE_MS): Promise<void> {
    const { ledger, failures, unlisted, progress } = this.#books
    if (failures.unsaved > 0) await this.#saveSegment()
    const now = this.#timing.now()
    const next: Checkpoint = {
      ...this.#checkpoint,
      savedAt: now,
      watcher: { ...this.#checkpoint.watcher, until: now + leaseMs },
      ledger: ledger.snapshot(),
      unlisted: unlisted.entries,
      samples: progress.samples,
    }
    const etag = await this.#store.write(next, this.#etag)
    if (etag === undefined) throw new LeaseLostError('somebody else has gone on with this run')
    this.#etag = etag
    this.#checkpoint = next
    const saved = this.#pending
    this.#pending = []
    this.#pendingCount = 0
    for (const delivery of saved) await delivery.remove()
  }

  /** Once written, a segment is never written again: it counts even when the checkpoint that first names it can't be saved. */
  async #saveSegment(): Promise<void> {
    const { segments, watcher } = this.#checkpoint
    const others = segments.filter(([id]) => id !== watcher.id)
    const [, count = 0] = segments.find(([id]) => id === watcher.id) ?? []
    const { failures } = this.#books
    const bytes = await failures.readUnsaved()
    await this.#store.writeSegment(watcher.id, count, bytes)
    failures.markSaved(bytes.length)
    this.#checkpoint = { ...this.#checkpoint, segments: [...others, [watcher.id, count + 1]] }
  }
}
