/**
 * Runs a loop so many times side by side, each to its end, and gives the errors that some ended with. A loop looks at those so
 * far before it goes on: when one has ended badly, nothing else is begun.
 */
export async function sideBySide(
  count: number,
  loop: (errors: readonly unknown[]) => Promise<void>,
): Promise<unknown[]> {
  const errors: unknown[] = []
  const runners = Array.from({ length: count }, () =>
    loop(errors).catch((error: unknown) => {
      errors.push(error)
    }),
  )
  await Promise.all(runners)
  return errors
}
