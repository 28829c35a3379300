import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Aws } from '../index.ts'
import { runPost, type StepResult, startStep } from '../runner.ts'
import type { Faults } from './faults.ts'
import type { Scenario } from './scenarios.ts'
import { compareSides, violations } from './verdict.ts'
import { disturbWorkers } from './workers.ts'

/** Emptied before each round. */
export const BUCKETS = { source: 'chaos-from', destination: 'chaos-to' }
/** Minutes after which a run that has not ended by itself is one that never ends. */
const LIMIT_MINUTES = 8
const ENDED_LATE = /stopped at its timeout|queues have been empty for minutes/

export type Round = { seed: number; number: number; scenario: Scenario; objects: number }
export type Verdict = { problems: string[]; outputs: Record<string, string>; seconds: number }

/** Runs the action between two new buckets under the faults of a scenario, and says what did not hold. */
export async function playRound(aws: Aws, stackName: string, round: Round, faults: Faults): Promise<Verdict> {
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
  let step: StepResult
  try {
    const begin = () => startStep({ inputs: inputsOf(stackName, source, destination), env: aws.env })
    if (scenario.rates['action-killed'] || scenario.rates['action-expired'])
      problems.push(...(await interrupt(await begin(), aws, source, destination, scenario, faults)))
    const run = await begin()
    step = await run.result
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
  if (ENDED_LATE.test(log)) problems.push('the run did not end by itself')
  problems.push(...violations(step, compareSides(store, source, destination), reported))
  return { problems, outputs, seconds: Math.round((performance.now() - started) / 1000) }
}

/** Ends a first run half-way; what it leaves behind must not disturb the one that follows. */
async function interrupt(
  step: Awaited<ReturnType<typeof startStep>>,
  aws: Aws,
  source: string,
  destination: string,
  { rates }: Scenario,
  faults: Faults,
): Promise<string[]> {
  const { store } = aws.s3
  let ended = false
  void step.result.then(() => {
    ended = true
  })
  // Not at a time but at a point: when some objects have been copied.
  while (!ended && store.bucket(destination).objects.size === 0) await delay(50)
  if (rates['action-killed']) {
    faults.count('action-killed')
    step.process.kill('SIGKILL')
  } else {
    faults.count('action-expired')
    faults.expired = true
  }
  const { state, log, exitCode } = await step.result
  faults.expired = false
  const problems: string[] = []
  if (rates['action-expired'] && !(exitCode === 1 && /credentials have expired/.test(log)) && !ended)
    problems.push('expired credentials were not explained')
  const post = await runPost(state, aws.env)
  if (post.exitCode !== 0) problems.push(`post could not stop the run of ${source}`)
  return problems
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
