import { type Totals, zero } from './totals.ts'

/**
 * The children of one attempt. SQS delivers outcomes in any order, so children may report before the outcome that
 * names them; what they say is held until then, and for ever when another attempt at their parent was counted.
 */
export type Family = {
  live: boolean
  /** How many children the counted outcome named. Known once live. */
  size: number
  /** A bit for each child that has settled. */
  settled: Uint32Array
  settledCount: number
  held: Totals
  heldFamilies: { attempt: string; children: number }[]
}

/** Attempt and size; of one that has not settled wholly also which children have, as bits in base64. */
export type FamilySnapshot =
  | [attempt: string, size: number]
  | [attempt: string, size: number, settledCount: number, settled: string]
  | [
      attempt: string,
      size: null,
      settledCount: number,
      settled: string,
      held: Totals,
      heldFamilies: Family['heldFamilies'],
    ]

/** A family for a snapshot; a number stands for so many children, all of them settled. */
export function writeFamily(attempt: string, family: Family | number): FamilySnapshot {
  if (typeof family === 'number') return [attempt, family]
  const { live, size, settled, settledCount, held, heldFamilies } = family
  const { buffer, byteOffset, byteLength } = settled
  const bits = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64')
  // Copied: a snapshot must not change with the ledger.
  return live
    ? [attempt, size, settledCount, bits]
    : [attempt, null, settledCount, bits, { ...held }, [...heldFamilies]]
}

/** Undoes {@link writeFamily}. */
export function readFamily([, size, settledCount, bits, held, heldFamilies]: FamilySnapshot):
  | Family
  | number {
  if (bits === undefined) return size as number
  const live = size !== null
  // Copied, for a buffer may begin anywhere and these words may not. All runners are little-endian.
  const settled = new Uint32Array(new Uint8Array(Buffer.from(bits, 'base64')).buffer)
  return {
    live,
    size: live ? size : 0,
    settled,
    settledCount: settledCount ?? 0,
    held: { ...zero(), ...held },
    heldFamilies: heldFamilies ?? [],
  }
}

/** Marks child `index` as settled; false when it already was. */
export function setBit(family: Family, index: number): boolean {
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
