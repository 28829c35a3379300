import * as core from '@actions/core'
import type { Bucket } from './checkpoint/store.ts'
import type { Status } from './result.ts'
import type { AfterRun, StackOutputs } from './stack/index.ts'

/** What `post` needs to stop a run that main could not end itself, and to leave the stack as it should be. */
export type RunState = {
  queueUrl: string
  region: string
  runId: string
  stack: { name: string; outputs: StackOutputs }
  afterRun: AfterRun
  /** Where the run's checkpoints are, and as whom main has written them. */
  checkpoints: { bucket: Bucket; folder: string; watcher: string } | undefined
}

/** What `post` needs to leave a stack as it should be that main was deploying when it was killed. */
export type DeployingState = { stackName: string; region: string; afterRun: AfterRun }

const NAME = 'run'
const DEPLOYING = 'deploying'
const OVER = 'over'

/** Called as soon as the run exists: the runner reads it even when main is killed later. */
export function saveRun(state: RunState): void {
  core.saveState(NAME, JSON.stringify(state))
  clearDeploying()
}

/** Called before a stack is changed. */
export function saveDeploying({ stackName, region, afterRun }: DeployingState): void {
  core.saveState(DEPLOYING, JSON.stringify({ stackName, region, afterRun }))
}

/** The stack is as it should be, or `post` knows of a run on it. */
export function clearDeploying(): void {
  core.saveState(DEPLOYING, '')
}

export function loadDeploying(): DeployingState | undefined {
  return load(DEPLOYING)
}

/** The run is over and its queue is gone, or it is to go on: nothing is left for `post`. */
export function clearRun(): void {
  core.saveState(NAME, '')
}

/** Main has told how the run went: what is left for `post` is to tidy up. */
export function markOver(status: Status): void {
  core.saveState(OVER, status)
}

/** How the run went, if main has told that. */
export function statusOver(): Status | undefined {
  return (core.getState(OVER) as Status) || undefined
}

export function loadRun(): RunState | undefined {
  return load(NAME)
}

function load<T>(name: string): T | undefined {
  const text = core.getState(name)
  return text === '' ? undefined : (JSON.parse(text) as T)
}
