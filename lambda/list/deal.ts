/**
 * Deals items that are in order to as few hands as hold them all, at most `most` to each, in turns like cards: each hand has
 * some from all over, in order.
 */
export function deal<T>(items: readonly T[], most: number): T[][] {
  const hands = Array.from({ length: Math.ceil(items.length / most) }, (): T[] => [])
  for (const [index, item] of items.entries()) hands[index % hands.length]?.push(item)
  return hands
}
