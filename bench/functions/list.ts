import { newListTask } from '../../protocol/task.ts'
import type { Benchmark, Effort } from '../report.ts'
import { type Cost, callsOf, contest, costOf, head, rows } from './contest.ts'
import { LIST_MS, MEMORY_NOTE, Rig } from './rig.ts'

const TURNS = { full: 3, quick: 1 }
const OBJECTS = { full: 100_000, quick: 3_000 }
const PAGE = 1_000
const MEMORY_MB = { full: [256, 512, 1769], quick: [256] }
/** A list function has few requests under way. */
const IN_FLIGHT = 4
const BASE = 'undici, list'
const SDK = 'AWS SDK, list'

/** What the list function costs and needs, beside the bare calls that it is made of. */
export const listFunction: Benchmark = async (effort) => {
  const rig = await Rig.start(OBJECTS[effort])
  const calls = { calls: OBJECTS[effort] / PAGE, objects: PAGE, inFlight: IN_FLIGHT }
  const contenders: Record<string, () => Promise<Cost>> = {}
  for (const name of [BASE, SDK]) contenders[name] = () => callsOf(name, rig.aws.url, calls)
  for (const memory of MEMORY_MB[effort])
    contenders[`list function, ${memory} MB`] = () => lists(rig, memory, effort)
  const costs = await contest(contenders, TURNS[effort]).finally(() => rig.stop())
  return {
    title: 'List function',
    about:
      `The bundled list function against the embedded S3 and SQS, where a page of 1,000 keys takes ${LIST_MS} ms. It lists ` +
      `${OBJECTS[effort].toLocaleString('en')} keys, once to warm up and once measured. For comparison, bare calls of the same S3, ${IN_FLIGHT} in ` +
      `flight. In turns; each row is the median of ${TURNS[effort]}.`,
    head: head(BASE, SDK),
    rows: rows(costs, BASE, SDK),
    notes: [
      "The function's CPU time includes everything: reading pages, dividing the rest, packing the keys into copy tasks of at " +
        'most 250 objects and sending these with the AWS SDK. undici only receives the text of a page. The AWS SDK also parses it.',
      MEMORY_NOTE,
    ],
  }
}

async function lists(rig: Rig, memory: number, effort: Effort): Promise<Cost> {
  const list = await rig.function('list', memory)
  const work = async () => {
    await rig.send(newListTask('seed.0', rig.run, { prefix: '', ranges: [{}] }))
    const invocations = await list.work()
    const listed = (await rig.outcomes()).reduce((sum, outcome) => sum + outcome.listed, 0)
    await rig.forget('copy')
    if (listed !== OBJECTS[effort]) throw new Error(`${listed} of ${OBJECTS[effort]} objects were listed`)
    return invocations
  }
  try {
    await work()
    return costOf(await work(), OBJECTS[effort])
  } finally {
    await list.stop()
  }
}
