import { createHash } from 'node:crypto'

/** A number from 0 up to but not including 1 that depends on these words alone. */
export function chance(...words: (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(words)).digest().readUInt32LE() / 2 ** 32
}

/**
 * Chances of things that happen again and again: the nth chance of the same thing is the same in every run with that seed,
 * in whatever order the things happen.
 */
export class Chances {
  readonly #seed: (string | number)[]
  readonly #counts = new Map<string, number>()

  constructor(...seed: (string | number)[]) {
    this.#seed = seed
  }

  next(...thing: (string | number)[]): number {
    const name = JSON.stringify(thing)
    const count = this.#counts.get(name) ?? 0
    this.#counts.set(name, count + 1)
    return chance(...this.#seed, name, count)
  }
}
