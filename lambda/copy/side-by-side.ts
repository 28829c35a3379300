/**
 * Runs a loop `count` times side by side, waits for all of them, and returns the errors that they threw. Each looks at the
 * errors so far before it begins anything more, so that nothing is begun once one has failed.
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
