import { randomBytes } from 'node:crypto'

/** The family of the tasks that the action itself seeds. */
export const SEED_FAMILY = 'seed'

/** A task's name, taken apart: its family (the attempt that spawned it) and its number in it, from 0. */
type TaskName = { family: string; index: number }

/** An id for one attempt at a task: 96 random bits, so that no two attempts of a run share one. */
export function newAttemptId(): string {
  return randomBytes(12).toString('base64url')
}

/** A run's id: when it began (UTC) and 32 random bits. Letters, digits and hyphens, so that it can stand in a queue's name. */
export function newRunId(now: Date): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  return `${time}-${randomBytes(4).toString('hex')}`
}

export function taskId(family: string, index: number): string {
  return `${family}.${index}`
}

/** Takes a task id apart; undefined when it is none. */
export function parseTaskId(id: string): TaskName | undefined {
  const match = /^([\w-]+)\.(\d{1,7})$/.exec(id)
  return match ? { family: match[1] as string, index: Number(match[2]) } : undefined
}
