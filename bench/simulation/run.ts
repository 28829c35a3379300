import type { Logger } from '@aws-lambda-powertools/logger'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { Pace } from '../../lambda/copy/pace.ts'
import { workOnCopyTask } from '../../lambda/copy/task.ts'
import { type ListDeps, workOnListTask } from '../../lambda/list/task.ts'
import { waitingIn } from '../../lambda/list/waiting.ts'
import { RunGate } from '../../lambda/run-gate.ts'
import { handleEvent } from '../../lambda/worker.ts'
import { SEED_FAMILY, taskId } from '../../protocol/ids.ts'
import { decodeOutcome } from '../../protocol/outcome.ts'
import type { Run } from '../../protocol/run.ts'
import { encodeTask, newListTask } from '../../protocol/task.ts'
import { Ledger } from '../../src/ledger.ts'
import type { Sample } from '../../src/progress.ts'
import { listConcurrency } from '../../src/stack/parameters.ts'
import { Cpu } from './cpu.ts'
import type { KeySet } from './key-sets.ts'
import { SimulatedLambda } from './lambda.ts'
import { type S3Model, SimulatedS3 } from './s3.ts'
import { SimulatedSqs } from './sqs.ts'
import { VirtualTime } from './virtual-time.ts'

type Scenario = {
  keys: KeySet
  /** What all keys begin with. */
  prefix: string
  partitions: number
  maxConcurrency: number
  batchSize: number
  seed: number
  /** By how much SQS's counts of messages are behind. SQS says a minute or more (developer guide); it is often seconds. */
  countLagMs: number
  /** Share of messages that SQS delivers twice. */
  duplicates: number
}

export type Simulated = {
  /** Virtual milliseconds until every task was settled. */
  drainMs: number
  /** Until the last page was listed. */
  listedMs: number
  /** The drain time that S3's copy limit alone would allow, at an even spread over the partitions. */
  floorMs: number
  lists: number
  refusedShare: number
  gbSeconds: number
  invocations: number
  /** As they are billed. */
  sqsRequests: number
  copied: number
  /** How many objects were copied at some twenty times. */
  course: Sample[]
}

/**
 * S3: its published limits; latencies of small objects within a region. Lambda and SQS: AWS's documents and prices. Of what a
 * page costs the list function (docs/benchmarks.md), two fifths are to read it, by a profile; the rest is to make copy tasks.
 */
const S3_MODEL: Omit<S3Model, 'partitions'> = {
  copiesPerSecond: 3_500,
  listsPerSecond: 5_500,
  copyMs: 90,
  listMs: 80,
  refusalMs: 15,
  spread: 0.35,
  copyCpuMs: 0.12,
  pageCpuMs: 4.4,
}
const LAMBDA_MODEL = {
  startConcurrency: 5,
  growthPerMinute: 300,
  coldStartMs: 350,
  invokeMs: 20,
}
const SQS_MODEL = { latencyMs: 8, sendCpuMs: 0.093 }
/** As in template.yaml. */
const MEMORY_MB = { list: 1769, copy: 256 }
const TIMEOUT_MS = 300_000
const VISIBILITY_MS = 600_000
const [LIST, COPY, RUN] = ['list', 'copy', 'run'] as const
/** The action waits in long polls, which SQS answers as outcomes come. */
const POLL_MS = 100

/**
 * Runs the functions' own code and the action's ledger against the models. The same scenario gives the same numbers. Throws
 * the error of the first task that fails.
 */
export async function simulateRun(scenario: Scenario): Promise<Simulated> {
  const { keys, prefix, partitions, maxConcurrency, batchSize, seed, countLagMs, duplicates } = scenario
  const time = new VirtualTime(seed)
  const s3 = new SimulatedS3(keys, time, { ...S3_MODEL, partitions })
  const sqs = new SimulatedSqs(time, { ...SQS_MODEL, countLagMs, duplicates })
  const lambda = new SimulatedLambda(time, sqs, LAMBDA_MODEL)
  const ledger = new Ledger(1)
  const ended = () => ledger.done

  let failure: unknown
  /** Nothing in the models makes a task fail. */
  const logger = {
    info() {},
    warn() {},
    error(message: string, { error = new Error(message) }: { error?: Error }) {
      failure ??= error
    },
  } as unknown as Pick<Logger, 'info' | 'warn' | 'error'>
  const deps = (queueUrl: string, client: SQSClient) => ({
    sqs: client,
    queueUrl,
    gate: new RunGate(client, time.now),
    logger,
    timing: time,
  })
  const common = { timeoutMs: TIMEOUT_MS, visibilityMs: VISIBILITY_MS }
  const list = {
    ...common,
    name: LIST,
    memoryMb: MEMORY_MB.list,
    queueUrl: LIST,
    maxConcurrency: listConcurrency(maxConcurrency),
    instance: () => {
      const cpu = new Cpu(time, MEMORY_MB.list)
      const client = sqs.client(cpu)
      const worker = deps(LIST, client)
      const listing: ListDeps = {
        s3: s3.client(cpu),
        timing: time,
        listQueueUrl: LIST,
        copyQueueUrl: COPY,
        waiting: (queueUrl) => waitingIn(queueUrl, client),
      }
      return (event: Parameters<typeof handleEvent>[0], context: Parameters<typeof handleEvent>[1]) =>
        handleEvent(event, context, LIST, (task, attempt) => workOnListTask(task, attempt, listing), worker)
    },
  }
  const copy = {
    ...common,
    name: COPY,
    memoryMb: MEMORY_MB.copy,
    queueUrl: COPY,
    maxConcurrency,
    instance: () => {
      const cpu = new Cpu(time, MEMORY_MB.copy)
      const worker = deps(COPY, sqs.client())
      const copying = { s3: s3.client(cpu), pace: new Pace(time), timing: time, queueUrl: COPY }
      return (event: Parameters<typeof handleEvent>[0], context: Parameters<typeof handleEvent>[1]) =>
        handleEvent(event, context, COPY, (task, attempt) => workOnCopyTask(task, attempt, copying), worker)
    },
  }

  const run: Run = {
    id: 'simulated',
    queue: RUN,
    source: { bucket: 'from', prefix },
    destination: { bucket: 'to', prefix },
    batchSize,
  }
  sqs.put(LIST, encodeTask(newListTask(taskId(SEED_FAMILY, 0), run, { prefix, ranges: [{}] })))
  const course = await time.run(watch(sqs, ledger, time))
  const usage = [...lambda.usage.values()]
  return {
    drainMs: time.now(),
    listedMs: s3.listedMs,
    floorMs: (keys.size / (S3_MODEL.copiesPerSecond * partitions)) * 1000,
    lists: s3.lists,
    refusedShare: s3.refused / (s3.copies + s3.lists),
    gbSeconds: usage.reduce((sum, { gbSeconds }) => sum + gbSeconds, 0),
    invocations: usage.reduce((sum, { invocations }) => sum + invocations, 0),
    sqsRequests: sqs.requests,
    copied: ledger.totals.copied,
    course,
  }

  /** Reads outcomes as the action does, until the ledger is done. */
  async function watch(queue: SimulatedSqs, account: Ledger, clock: VirtualTime) {
    const mapped = Promise.all([lambda.map(list, ended), lambda.map(copy, ended)])
    mapped.catch((error: unknown) => {
      failure ??= error
    })
    const outcomes: Sample[] = []
    while (!account.done) {
      if (failure !== undefined) throw failure
      for (const body of queue.takeAll(RUN)) {
        const { task, attempt, children, failures, ...counts } = decodeOutcome(body)
        const totals = {
          listed: counts.listed,
          copied: counts.copied,
          skipped: counts.skipped,
          vanished: counts.vanished,
          reclassed: counts.reclassed,
          failed: failures.length,
          bytes: counts.bytes,
        }
        account.settle({ task, totals, spawned: { attempt, children } })
      }
      outcomes.push({ elapsedMs: clock.now(), copied: account.totals.copied })
      if (!account.done) await clock.sleep(POLL_MS)
    }
    queue.wakeAll()
    const step = Math.max(1, Math.floor(outcomes.length / 20))
    return outcomes.filter((_, index) => index % step === 0)
  }
}
