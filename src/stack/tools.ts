import type { Timing } from '../../protocol/timing.ts'

/** Where what is being done is told, line by line; `@actions/core` is one. */
export type Log = { info: (line: string) => void; warning: (line: string) => void }

/** What the steps on a stack need beside their AWS clients. */
export type Tools = { timing: Timing; log: Log }
