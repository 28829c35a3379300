/** Objects, bytes and dead tasks, as the outcomes and dead letters of a run add up. */
export type Totals = {
  listed: number
  copied: number
  skipped: number
  /** Objects that were gone when their turn came. */
  vanished: number
  failed: number
  /** Objects of copy tasks in the DLQ. */
  deadObjects: number
  /** Tasks in the DLQ. */
  deadTasks: number
  /** Copied objects that are in another storage class than the source. */
  reclassed: number
  /** Bytes of the copied objects. */
  bytes: number
}

export function zero(): Totals {
  return {
    listed: 0,
    copied: 0,
    skipped: 0,
    vanished: 0,
    failed: 0,
    deadObjects: 0,
    deadTasks: 0,
    reclassed: 0,
    bytes: 0,
  }
}

export function add(sum: Totals, more: Partial<Totals>): void {
  for (const [name, value] of Object.entries(more)) sum[name as keyof Totals] += value
}

/** Objects that were listed and are neither copied nor anything else yet. */
export function unsettled({ listed, copied, skipped, vanished, failed, deadObjects }: Totals): number {
  return listed - copied - skipped - vanished - failed - deadObjects
}
