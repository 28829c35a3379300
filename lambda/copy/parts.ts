/** From this size on an object is copied in parts, of which many are under way at once. One request could copy 5 GiB, but takes minutes for it. */
export const WHOLE_BYTES = 1024 ** 3
/** Parts of an upload at most (S3 user guide, multipart upload limits); each up to 5 GiB, so an object of 50 TB fits. */
const MOST_PARTS = 10_000
const MIB = 1024 ** 2
/** A part takes a second or two, and a function that runs out of time wastes no more than one of each. */
const PART_BYTES = 256 * MIB

export type PartRange = {
  /** From 1. */
  number: number
  /** Bytes of the object, both ends included. */
  first: number
  last: number
}

/** Bytes of every part but the last, for an object of so many bytes: the same for each attempt, so that any can go on with another's upload. */
export function partBytes(size: number): number {
  return Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS / MIB) * MIB)
}

/** The parts of an object of that many bytes (1 to 50 TB), in order; one at a time, since a task may hold many such objects. */
export function* partsOf(size: number): Generator<PartRange> {
  const bytes = partBytes(size)
  for (let number = 1, first = 0; first < size; number++, first += bytes)
    yield { number, first, last: Math.min(size, first + bytes) - 1 }
}
