import { type Copied, copyObjects } from '../../../lambda/copy/copy.ts'
import { Pace } from '../../../lambda/copy/pace.ts'
import { workOnListTask } from '../../../lambda/list/task.ts'
import { createS3Client, type S3 } from '../../../lambda/s3/index.ts'
import { compareKeys } from '../../../protocol/key.ts'
import type { Options, Run } from '../../../protocol/run.ts'
import {
  decodeTask,
  encodeTask,
  type Listed,
  newCopyTask,
  newListTask,
  type Task,
} from '../../../protocol/task.ts'
import type { Timing } from '../../../protocol/timing.ts'

/** A clock that moves only when somebody waits, or is told to. */
export class Clock implements Timing {
  at = 0
  now = () => this.at
  sleep = async (ms: number) => {
    this.at += ms
    await new Promise(setImmediate)
  }
  random = () => 0.5
}

export type Setting = {
  url: string
  from: string
  to: string
  options?: Options
  /** Milliseconds of the clock. */
  deadline?: number
  clock?: Clock
  signal?: AbortSignal
  isLast?: boolean
  prefixes?: { source: string; destination: string }
}

export function clientOf(url: string): S3 {
  const credentials = () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' })
  return createS3Client({ region: 'us-east-1', endpoint: url, credentials })
}

export function runOf({ from, to, options, prefixes }: Setting): Run {
  return {
    id: 'r',
    queue: 'https://sqs/run',
    source: { bucket: from, prefix: prefixes?.source ?? '' },
    destination: { bucket: to, prefix: prefixes?.destination ?? '' },
    batchSize: 250,
    ...(options && { options }),
  }
}

/** Copies objects as a worker would that got them in a message. */
export async function copyThem(objects: Listed[], setting: Setting): Promise<Copied> {
  const { url, deadline = 1e12, clock = new Clock() } = setting
  const s3 = clientOf(url)
  const task = decodeTask(encodeTask(newCopyTask('t.0', runOf(setting), objects)))
  if (task.kind !== 'copy') throw new Error('no copy task')
  try {
    return await copyObjects(task, {
      s3,
      pace: new Pace(clock),
      timing: clock,
      deadline,
      signal: setting.signal ?? new AbortController().signal,
      isLast: setting.isLast ?? false,
    })
  } finally {
    await s3.close()
  }
}

/** What a list worker hands on of a bucket, in order of keys. */
export async function listAll(url: string, bucket: string): Promise<Listed[]> {
  const s3 = clientOf(url)
  const objects: Listed[] = []
  const attempt = {
    deadline: 1e12,
    signal: new AbortController().signal,
    spawn: async (_: string, make: (id: string) => Task) => {
      const child = make('a.0')
      if (child.kind !== 'copy') throw new Error('no copy task')
      objects.push(...child.objects)
    },
    dispatch: async () => {},
  }
  const task = newListTask('seed.0', runOf({ url, from: bucket, to: '' }), { prefix: '', ranges: [{}] })
  const queues = { listQueueUrl: 'list', copyQueueUrl: 'copy' }
  try {
    const deps = { s3, timing: new Clock(), ...queues, waiting: async () => 0 }
    const { unlisted } = await workOnListTask(task, attempt, deps)
    if (unlisted) throw new Error(unlisted.message)
    return objects.sort((a, b) => compareKeys(a.key, b.key))
  } finally {
    await s3.close()
  }
}
