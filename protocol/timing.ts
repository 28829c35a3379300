import { setTimeout as delay } from 'node:timers/promises'

/** Time and chance, handed in so that tests and the simulation run the same code on theirs. */
export type Timing = {
  /** Milliseconds since the epoch. */
  now: () => number
  sleep: (ms: number) => Promise<void>
  /** From 0 up to but not including 1. */
  random: () => number
}

export const realTiming: Timing = {
  now: Date.now,
  sleep: async (ms) => {
    await delay(ms)
  },
  random: Math.random,
}

const BASE_MS = 100
const CAP_MS = 10_000

/**
 * How long to wait after the `tries`th failure in a row (from 1): exponential with full jitter, so that workers that
 * were refused together don't come back together. At most 10 s.
 */
export function backoffMs(tries: number, random: () => number): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** tries)
}
