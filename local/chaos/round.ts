import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { S3Client } from '@aws-sdk/client-s3'
import { runFolder } from '../../src/checkpoint/run-key.ts'
import { CheckpointStore } from '../../src/checkpoint/store.ts'
import { ACCOUNT_ID } from '../identity.ts'
import type { Aws } from '../index.ts'
import { runPost, type StepResult, startStep } from '../runner.ts'
import { chance } from './chance.ts'
import type { Faults } from './faults.ts'
import { ACTION_FAULTS, type Scenario } from './scenarios.ts'
import { compareSides, STALLED, violations } from './verdict.ts'
import { disturbWorkers } from './workers.ts'

/** Emptied before each round. */
export const BUCKETS = { source: 'chaos-from', destination: 'chaos-to' }
/** Minutes after which a run that has not ended by itself is one that never ends. */
const LIMIT_MINUTES = 15
/** Share of the objects that are copied when the action is interrupted, at most. */
const LATEST = 0.9
const ENDED_LATE = /step reached its timeout/

/** The stack, and the bucket that the action keeps its checkpoints in. */
type Home = { stackName: string; artifacts: string }
export type Round = { seed: number; number: number; scenario: Scenario; objects: number }
export type Verdict = { problems: string[]; outputs: Record<string, string>; seconds: number }

/** Runs the action between two new buckets under the faults of a scenario, and says what did not hold. */
export async function playRound(aws: Aws, home: Home, round: Round, faults: Faults): Promise<Verdict> {
  const { scenario, seed, number } = round
  const { source, destination } = BUCKETS
  const { store } = aws.s3
  for (const bucket of [source, destination]) {
    store.buckets.delete(bucket)
    store.createBucket(bucket)
  }
  for (let index = 0; index < round.objects; index++) store.put(source, keyOf(index), `object ${index}`)

  const started = performance.now()
  const functions = aws.lambda.functions.map(({ name }) => name)
  const stop = disturbWorkers(aws.lambda, functions, scenario.rates, faults, [seed, number])
  const problems: string[] = []
  const robbed = scenario.rates['copy-queue-purged'] !== undefined
  let step: StepResult
  try {
    const runKey = `round-${seed}-${number}`
    const inputs = { ...inputsOf(home.stackName, source, destination), 'run-key': runKey }
    const begin = () => startStep({ inputs, env: aws.env })
    let attaches = false
    if (ACTION_FAULTS.some((fault) => scenario.rates[fault])) {
      const interrupted = await interrupt(await begin(), aws, round, faults)
      problems.push(...interrupted.problems)
      attaches = interrupted.goesOn && (await expireLease(aws, home, runKey))
    }
    const run = await begin()
    if (robbed) await purge(aws, home, destination, faults)
    step = await run.result
    if (attaches && !/Attached to the run/.test(step.log))
      problems.push('the action did not attach to the run that was going on')
    await runPost(step.state, aws.env)
  } finally {
    stop()
  }
  const { outputs, log } = step
  const report = outputs.report ? await readFile(outputs.report, 'utf8').catch(() => '') : ''
  const reported = report
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { key: string }).key)
  if (ENDED_LATE.test(log) || (STALLED.test(log) && !robbed)) problems.push('the run did not end by itself')
  problems.push(...violations(step, compareSides(store, source, destination), reported, robbed))
  return { problems, outputs, seconds: Math.round((performance.now() - started) / 1000) }
}

/**
 * Ends a first action half-way, and with it its run when `post` can still stop that; what it leaves behind must not disturb
 * the run that follows. Says whether its run goes on.
 */
async function interrupt(
  step: Awaited<ReturnType<typeof startStep>>,
  aws: Aws,
  { seed, number, objects, scenario: { rates } }: Round,
  faults: Faults,
): Promise<{ problems: string[]; goesOn: boolean }> {
  const { store } = aws.s3
  let ended = false
  void step.result.then(() => {
    ended = true
  })
  // Not at a time but at a point: when so many objects have been copied.
  const copied = objects * LATEST * chance(seed, number, 'interrupted')
  while (!ended && store.bucket(BUCKETS.destination).objects.size <= copied) await delay(50)
  const tooLate = ended
  const fault = ACTION_FAULTS.find((it) => rates[it]) ?? 'action-killed'
  faults.count(fault)
  if (fault === 'action-expired') faults.expired = true
  else step.process.kill('SIGKILL')
  const { state, log, exitCode } = await step.result
  faults.expired = false
  const problems: string[] = []
  const goesOn = !tooLate && fault !== 'action-killed'
  if (fault === 'runner-lost') return { problems, goesOn }
  if (fault === 'action-expired' && !(exitCode === 1 && /credentials have expired/.test(log)) && !tooLate)
    problems.push('expired credentials were not explained')
  const post = await runPost(state, aws.env)
  if (post.exitCode !== 0) problems.push('post could not stop the run')
  return { problems, goesOn }
}

/** Empties the copy queue as soon as an object is copied: most tasks are still in it. */
async function purge(aws: Aws, { stackName }: Home, destination: string, faults: Faults): Promise<void> {
  const { objects } = aws.s3.store.bucket(destination)
  while (objects.size === 0) await delay(50)
  for (const queue of aws.queues.listQueues(`${stackName}-CopyQueue`).queues) {
    queue.purge()
    faults.count('copy-queue-purged')
  }
}

/** Lets the lease of a lost watcher end, which takes two minutes otherwise. Returns whether there is a run to attach to. */
async function expireLease(aws: Aws, { stackName, artifacts }: Home, runKey: string): Promise<boolean> {
  const { url: endpoint, region, credentials } = aws
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 10 })
  try {
    const store = new CheckpointStore(
      s3,
      { name: artifacts, owner: ACCOUNT_ID },
      runFolder(stackName, runKey),
    )
    const found = await store.read()
    if (!found) return false
    const watcher = { ...found.checkpoint.watcher, until: 0 }
    await store.write({ ...found.checkpoint, watcher }, found.etag)
    return true
  } finally {
    s3.destroy()
  }
}

function inputsOf(stackName: string, source: string, destination: string): Record<string, string> {
  return {
    source: `s3://${source}`,
    destination: `s3://${destination}`,
    'stack-name': stackName,
    deploy: 'never',
    'after-run': 'keep',
    'batch-size': '20',
    'poll-interval': '1',
    timeout: String(LIMIT_MINUTES),
  }
}

/** Keys of many beginnings and lengths, so that lists split. */
function keyOf(index: number): string {
  return `${'®aB3日~'[index % 6]}/${index % 7}/+${'x'.repeat(index % 50)} ${index}`
}
