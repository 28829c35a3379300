import { createHash } from 'node:crypto'
import type { Part } from '../../protocol/part.ts'
import type { Run } from '../../protocol/run.ts'

/** What a run is about: all of it that its outcome depends on. */
export type Subject = Omit<Run, 'id' | 'queue'> & { mode: Mode; parts: Part[] }

/** What a run is seeded with: parts of the source, or tasks of the DLQ. */
export type Mode = 'copy' | 'redrive'

/** As much of the environment as is needed; the variables are GitHub's (workflow reference, default variables). */
type Environment = Record<string, string | undefined>

/**
 * The run-key of a step that gives none: the same whenever this step of this workflow run is run again, and different for
 * any other step. Outside of GitHub nothing tells that two steps are the same, so each gets a key of its own.
 * @param fallback the key outside of GitHub
 */
export function defaultRunKey(
  env: Environment,
  stackName: string,
  subject: Subject,
  fallback: string,
): string {
  const { GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_JOB, GITHUB_ACTION } = env
  if (!GITHUB_RUN_ID) return fallback
  // The legs of a matrix have the same job; what they copy tells them apart.
  const about = hash(JSON.stringify([stackName, subject])).slice(0, 8)
  return [GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_JOB, GITHUB_ACTION, about].join('/')
}

/** The folder in the artifact bucket for the run of this key. */
export function runFolder(stackName: string, runKey: string): string {
  return `runs/${stackName}/${hash(runKey).slice(0, 32)}/`
}

/** What a person can look at to see who watches a run: the URL of the workflow run, or the process. */
export function watcherName(env: Environment, processId: number): string {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT = '1' } = env
  return GITHUB_RUN_ID
    ? `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}/attempts/${GITHUB_RUN_ATTEMPT}`
    : `process ${processId}`
}

/** The inputs in which two runs differ, by their names. */
export function differences(one: Subject, other: Subject): string[] {
  const [a, b] = [flat(one), flat(other)]
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  return names.filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
}

function flat({ mode, source, destination, batchSize, options, parts }: Subject): Record<string, unknown> {
  const prefixes = parts.map(({ prefix }) => prefix)
  const rest = Object.entries(options ?? {}).map(([name, value]) => [
    name === 'sseKmsKey'
      ? 'destination-kms-key'
      : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    value,
  ])
  return { mode, source, destination, prefixes, 'batch-size': batchSize, ...Object.fromEntries(rest) }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
