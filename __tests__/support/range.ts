import { compareKeys } from '../../protocol/key.ts'
import type { Range } from '../../protocol/range.ts'

/** Whether a key lies in a range: not its start, but its end. */
export function inRange(key: string, { after, upTo }: Range): boolean {
  return (
    (after === undefined || compareKeys(after, key) < 0) &&
    (upTo === undefined || compareKeys(key, upTo) <= 0)
  )
}
