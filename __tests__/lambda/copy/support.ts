import { type Copied, copyObjects } from '../../../lambda/copy/copy.ts'
import { Pace } from '../../../lambda/copy/pace.ts'
import { toListed } from '../../../lambda/list/listed.ts'
import { createS3Client, type S3 } from '../../../lambda/s3/index.ts'
import type { Options, Run } from '../../../protocol/run.ts'
import { decodeTask, encodeTask, type Listed, newCopyTask } from '../../../protocol/task.ts'
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

/** What a list worker would hand on of a bucket. */
export async function listAll(url: string, bucket: string): Promise<Listed[]> {
  const s3 = clientOf(url)
  try {
    const { objects } = await s3.listObjectsV2({ bucket, optionalObjectAttributes: 'RestoreStatus' })
    return objects.map(toListed)
  } finally {
    await s3.close()
  }
}
