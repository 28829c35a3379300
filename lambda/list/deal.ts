/**
 * Deals items that are in order to as few hands as hold them all, at most `most` to each, in turns like cards: each hand has
 * some from all over, in order.
 */
export function deal<T>(items: readonly T[], most: number): T[][] {
  const hands = Array.from({ length: Math.ceil(items.length / most) }, (): T[] => [])
  for (const [index, item] of items.entries()) hands[index % hands.length]?.push(item)
  return hands
}

/** Objects of several lists, one of each in turn, until all are used up. */
export function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  const mixed: T[] = []
  for (let index = 0; index < longest; index++)
    for (const list of lists) if (index < list.length) mixed.push(list[index] as T)
  return mixed
}
