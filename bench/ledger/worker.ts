/**
 * Feeds one ledger with the outcomes of a run of so many tasks, in a process of its own so that its memory is its own,
 * and tells the parent what that cost. Needs --expose-gc.
 */
import { Ledger, type Settlement } from '../../src/ledger.ts'
import { type Expected, outcomesOf } from './outcomes.ts'

export type LedgerCost = {
  tasks: number
  settlements: number
  objects: number
  /** Of settling alone: what it took to make the outcomes up is taken off. */
  cpuMs: number
  /** What the ledger holds at the end. */
  heldMb: number
  /** The ledger's part of a checkpoint, as JSON: how large, and how long it takes to make. */
  snapshotMb: number
  snapshotMs: number
  /** Of the whole process, with Node.js itself and the outcomes on their way. */
  peakRssMb: number
}

const MB = 2 ** 20

function feed(tasks: number, take: (settlement: Settlement) => void) {
  const expected: Expected = { tasks: 0, listed: 0, copied: 0, bytes: 0 }
  const before = process.cpuUsage()
  let settlements = 0
  for (const settlement of outcomesOf(tasks, expected)) {
    take(settlement)
    settlements++
  }
  const { user, system } = process.cpuUsage(before)
  return { expected, settlements, cpuMs: (user + system) / 1000 }
}

function heldMb(): number {
  gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / MB
}

function measure(tasks: number): LedgerCost {
  let length = 0
  const making = feed(tasks, ({ task }) => {
    length += task.length
  })
  const before = heldMb()
  const ledger = new Ledger(1)
  const { expected, settlements, cpuMs } = feed(tasks, (settlement) => ledger.settle(settlement))
  const held = heldMb() - before
  const { listed, copied, bytes } = ledger.totals
  const found = { tasks: ledger.settled, listed, copied, bytes }
  if (!ledger.done || JSON.stringify(found) !== JSON.stringify(expected) || length === 0)
    throw new Error(`the ledger counted ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
  const peakRssMb = process.resourceUsage().maxRSS / 1024
  const began = performance.now()
  const snapshot = JSON.stringify(ledger.snapshot())
  return {
    tasks: ledger.settled,
    settlements,
    objects: copied,
    cpuMs: cpuMs - making.cpuMs,
    heldMb: held,
    snapshotMb: snapshot.length / MB,
    snapshotMs: performance.now() - began,
    peakRssMb,
  }
}

process.send?.(measure(Number(process.argv[2])))
