import { hash } from 'node:crypto'
import { newCopyTask } from '../../protocol/task.ts'
import type { Benchmark, Effort } from '../report.ts'
import { type Cost, callsOf, contest, costOf, head, rows } from './contest.ts'
import { BODY, COPY_MS, MEMORY_NOTE, Rig } from './rig.ts'
import { startTls } from './tls.ts'

const TURNS = { full: 3, quick: 1 }
/** As many as one task may hold, so that 256 are in flight until its end. */
const OBJECTS_OF_A_TASK = { full: 1_000, quick: 20 }
/** The first tasks find S3's pace and warm the code up. */
const WARM_TASKS = { full: 5, quick: 1 }
const TASKS = { full: 10, quick: 1 }
const LEAST_MB = 128
const MEMORY_MB = { full: [LEAST_MB, 256, 512], quick: [LEAST_MB] }
const IN_FLIGHT = 256
/** What a listing says of each object, so that the copy's ETag is compared. */
const BODY_MD5 = hash('md5', BODY)
const BASE = 'undici, signed'
const SDK = 'AWS SDK'

/** What the copy function costs and needs, beside the bare calls that it is made of. */
export const copyFunction: Benchmark = async (effort) => {
  const rig = await Rig.start()
  const calls = { calls: OBJECTS_OF_A_TASK[effort] * TASKS[effort], objects: 1, inFlight: IN_FLIGHT }
  const contenders: Record<string, () => Promise<Cost>> = {}
  for (const name of [BASE, SDK]) contenders[name] = () => callsOf(name, rig.aws.url, calls)
  for (const memory of MEMORY_MB[effort])
    contenders[`copy function, ${memory} MB`] = () => copies(rig, memory, effort)
  const tls = await startTls(rig.aws.url)
  if (tls) contenders[`copy function, ${LEAST_MB} MB, TLS`] = () => copies(rig, LEAST_MB, effort, tls.env)
  const costs = await contest(contenders, TURNS[effort])
    .finally(() => tls?.close())
    .finally(() => rig.stop())
  return {
    title: 'Copy function',
    about:
      `The bundled copy function against the embedded S3 and SQS, where CopyObject takes ${COPY_MS} ms. It is warm, and works on ` +
      `one task of ${OBJECTS_OF_A_TASK[effort].toLocaleString('en')} objects after another with up to ${IN_FLIGHT} copies in flight. For comparison, bare calls ` +
      `of the same S3 with as many in flight and the heap of 128 MB. In turns; each row is the median of ${TURNS[effort]}.`,
    head: head(BASE, SDK),
    rows: rows(costs, BASE, SDK),
    notes: [
      "The function's CPU time includes everything: reading the task, the lease, the pace, signing and the outcome. undici's " +
        'includes signing, sending and reading.',
      MEMORY_NOTE,
      tls
        ? 'TLS: calls to S3 are encrypted, as they are on AWS. All other calls go over plain HTTP.'
        : 'There is no row over TLS, because openssl is not on the PATH.',
    ],
  }
}

async function copies(rig: Rig, memory: number, effort: Effort, env = {}): Promise<Cost> {
  const copy = await rig.function('copy', memory, env)
  const objects = OBJECTS_OF_A_TASK[effort]
  const work = async (tasks: number) => {
    for (let i = 0; i < tasks; i++) {
      const keys = rig.keys.slice(i * objects, (i + 1) * objects)
      const listed = keys.map((key) => ({ key, size: BODY.length, etag: BODY_MD5 }))
      await rig.send(newCopyTask(`seed.${i}`, rig.run, listed))
    }
    const invocations = await copy.work()
    const copied = (await rig.outcomes()).reduce((sum, outcome) => sum + outcome.copied, 0)
    if (copied !== tasks * objects) throw new Error(`${copied} of ${tasks * objects} objects were copied`)
    return invocations
  }
  try {
    await work(WARM_TASKS[effort])
    return costOf(await work(TASKS[effort]), TASKS[effort] * objects)
  } finally {
    await copy.stop()
  }
}
