import type { Timing } from '../../protocol/timing.ts'

/** Time that passes only while somebody sleeps. */
export function sleptTiming(): Timing {
  let now = 0
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms
    },
    random: () => 0.5,
  }
}
