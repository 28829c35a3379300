import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newListTask } from '../../protocol/task.ts'
import { type Cost, contest } from '../functions/contest.ts'
import type { Invocation } from '../functions/process.ts'
import { COPY_MS, LIST_MS, Rig } from '../functions/rig.ts'
import { type Benchmark, median } from '../report.ts'
import { isInstalled, PEERS, type Peer, run, versionOf } from './tools.ts'

const OBJECTS = { full: 10_000, quick: 50 }
const TURNS = { full: 3, quick: 1 }
const MEMORY_MB = 256
const OURS = 'our functions'

/** What a whole copy of a bucket costs our functions, and the other programs that are installed here. */
export const peers: Benchmark = async (effort) => {
  const objects = OBJECTS[effort]
  const folder = await mkdtemp(join(tmpdir(), 's3-71-peers-'))
  const rig = await Rig.start(objects)
  try {
    const config = join(folder, 'config')
    await writeFile(config, '[default]\ns3 =\n  max_concurrent_requests = 256\n  max_queue_size = 10000\n')
    const contenders: Record<string, () => Promise<Cost>> = { [OURS]: () => copyByFunctions(rig, objects) }
    const absent: string[][] = []
    for (const peer of PEERS) {
      const copy = () => copyBy(peer, rig, config, objects)
      const name = (await isInstalled(peer.command)) ? `${peer.name} ${await versionOf(peer)}` : peer.name
      const obstacle = name === peer.name ? 'not installed' : await obstacleTo(copy)
      if (obstacle === undefined) contenders[name] = copy
      else absent.push([name, obstacle, '-', '-'])
    }
    const costs = await contest(contenders, TURNS[effort])
    const ours = costs.get(OURS) ?? []
    return {
      title: 'Peers',
      about:
        `A bucket of ${objects.toLocaleString('en')} objects, copied on the embedded S3, where CopyObject takes ${COPY_MS} ms and a page ` +
        `${LIST_MS} ms: by one list and one copy function (${MEMORY_MB} MB), and by other programs with 256 copies at once. In turns; ` +
        `each row is the median of ${TURNS[effort]}.`,
      head: ['', 'CPU ms an object', '× ours', 'objects/s'],
      rows: [
        ...[...costs].map(([name, list]) => [
          name,
          median(list.map(({ cpuMs }) => cpuMs)).toFixed(3),
          median(list.map(({ cpuMs }, i) => cpuMs / (ours[i]?.cpuMs ?? Number.NaN))).toFixed(1),
          median(list.map(({ perSecond }) => perSecond)).toFixed(0),
        ]),
        ...absent,
      ],
      notes: [
        'CPU time is that of new processes, including their start. Ours is that of both functions.',
        'Our tasks hold 40 objects each, as for any source so small, since they are made for many workers. Here there is only one, ' +
          'and its objects/s count from the first task to the last.',
      ],
    }
  } finally {
    await rig.stop()
    await rm(folder, { recursive: true })
  }
}

/** Why a copy can't take part; undefined when it can. Its files are in the disk cache afterwards. */
async function obstacleTo(copy: () => Promise<Cost>): Promise<string | undefined> {
  try {
    await copy()
    return undefined
  } catch (error) {
    console.error(String(error))
    return 'failed'
  }
}

async function copyByFunctions(rig: Rig, objects: number): Promise<Cost> {
  rig.emptyDestination()
  await rig.send(newListTask('seed.0', rig.run, { prefix: '', ranges: [{}] }))
  const [list, copy] = [await drain(rig, 'list'), await drain(rig, 'copy')]
  const invocations = [...list.invocations, ...copy.invocations]
  await rig.forget('run')
  rig.expectInDestination(objects)
  const [cpuMs, wallMs] = [
    invocations.reduce((sum, invocation) => sum + invocation.cpuMs, list.startCpuMs + copy.startCpuMs),
    invocations.reduce((sum, invocation) => sum + invocation.wallMs, 0),
  ]
  return { cpuMs: cpuMs / objects, perSecond: (objects / wallMs) * 1000 }
}

async function drain(
  rig: Rig,
  kind: 'list' | 'copy',
): Promise<{ startCpuMs: number; invocations: Invocation[] }> {
  const worker = await rig.function(kind, MEMORY_MB)
  const invocations = await worker.work().finally(() => worker.stop())
  return { startCpuMs: worker.startCpuMs, invocations }
}

async function copyBy(peer: Peer, rig: Rig, config: string, objects: number): Promise<Cost> {
  rig.emptyDestination()
  const environment = { ...rig.aws.env, AWS_CONFIG_FILE: config, ...peer.environment(rig.aws.url) }
  const { cpuMs, wallMs } = await run(peer.command, peer.copy(rig.aws.url), environment)
  rig.expectInDestination(objects)
  return { cpuMs: cpuMs / objects, perSecond: (objects / wallMs) * 1000 }
}
