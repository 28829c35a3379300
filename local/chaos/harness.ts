import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { artifactBucketName } from '../../src/stack/artifact.ts'
import { ACCOUNT_ID } from '../identity.ts'
import { type Aws, startAws } from '../index.ts'
import type { Intercept } from '../s3/index.ts'
import { Faults } from './faults.ts'
import { BUCKETS, playRound, type Round, type Verdict } from './round.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const STACK = 's3-71-chaos'
/** The functions' timeout and their queues' visibility timeout here: a killed function's task is back within a round. */
const TIMEOUT_SECONDS = 20
/** As in template.yaml. */
const RECEIVES = 5

export type Harness = {
  aws: Aws
  play: (round: Round) => Promise<Verdict & { faults: Faults['counts'] }>
  stop: () => Promise<void>
}

/** Starts an embedded AWS whose faults each round decides anew, with the stack of template.yaml on it. */
export async function startHarness(): Promise<Harness> {
  let faults = new Faults(0, 0, {}, [])
  const intercept: Intercept = (request) => faults.s3(request)
  const aws = await startAws({
    s3: { intercept },
    sqs: {
      intercept: (call) => faults.sqs.intercept?.(call),
      deliver: (queue) => faults.sqs.deliver?.(queue) ?? [0],
    },
  })
  const artifacts = artifactBucketName({ accountId: ACCOUNT_ID, region: aws.region })
  try {
    aws.s3.store.createBucket(artifacts)
    await deploy(aws)
  } catch (error) {
    await aws.stop()
    throw error
  }
  return {
    aws,
    async play(round) {
      faults = new Faults(round.seed, round.number, round.scenario.rates, Object.values(BUCKETS), artifacts)
      const current = faults
      setReceives(aws, round.scenario.receives ?? RECEIVES)
      const verdict = await playRound(aws, { stackName: STACK, artifacts }, round, current)
      faults = new Faults(0, 0, {}, [])
      return { ...verdict, faults: current.counts }
    },
    stop: () => aws.stop(),
  }
}

/** Sets how often the stack's queues let a task be received before it goes to the DLQ. */
function setReceives({ queues }: Aws, maxReceiveCount: number): void {
  for (const { attributes } of queues.listQueues(STACK).queues)
    if (attributes.RedrivePolicy)
      attributes.RedrivePolicy = JSON.stringify({ ...JSON.parse(attributes.RedrivePolicy), maxReceiveCount })
}

/** Deploys template.yaml, but for a shorter timeout of functions and queues. */
async function deploy(aws: Aws): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 's3-71-chaos-'))
  try {
    const text = (await readFile(join(ROOT, 'template.yaml'), 'utf8'))
      .replaceAll('CodeUri: dist/functions', `CodeUri: ${join(ROOT, 'dist', 'functions')}`)
      .replace('Timeout: 300', `Timeout: ${TIMEOUT_SECONDS}`)
      .replaceAll('VisibilityTimeout: 600', `VisibilityTimeout: ${TIMEOUT_SECONDS}`)
    const template = join(folder, 'template.yaml')
    await writeFile(template, text)
    await aws.deploy({
      stackName: STACK,
      template,
      parameters: {
        SourceBucketArns: `arn:aws:s3:::${BUCKETS.source}`,
        DestinationBucketArns: `arn:aws:s3:::${BUCKETS.destination}`,
        CopyMaxConcurrency: '3',
        ListMaxConcurrency: '2',
      },
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}
