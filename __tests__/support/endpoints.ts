import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Store, startS3 } from '../../local/s3/index.ts'

/** An S3 to test against; all of them have to agree with the tests. */
export type Endpoint = {
  url: string
  /** The embedded S3's content; other endpoints have none. */
  store?: Store
  close(): Promise<void>
}

type EndpointKind = {
  name: string
  start(): Promise<Endpoint>
  /** Why there is none here. */
  missing?: string
}

/** The embedded S3, moto's server where it is installed, and the one that AWS_ENDPOINT_URL names, if any. */
export function endpointKinds(): EndpointKind[] {
  const url = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
  const moto = missingMoto()
  return [
    { name: 'embedded', start: startS3 },
    { name: 'moto', start: startMoto, ...(moto !== undefined && { missing: moto }) },
    ...(url === undefined ? [] : [{ name: url, start: async () => ({ url, close: async () => {} }) }]),
  ]
}

function missingMoto(): string | undefined {
  const probe = 'from importlib.util import find_spec as f; print([m for m in ("moto", "flask") if not f(m)])'
  const { status, stdout, error } = spawnSync('python3', ['-c', probe], { encoding: 'utf8' })
  if (error || status !== 0) return 'there is no working python3'
  return stdout.trim() === '[]' ? undefined : `python3 lacks ${stdout.trim()}: pip install 'moto[server]'`
}

/** Starts moto's server on a free port and waits until it answers. Throws with its output when it ends instead. */
async function startMoto(): Promise<Endpoint> {
  const port = await freePort()
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-4000)
  })
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; !(await answers(url)); tries++) {
    if (child.exitCode !== null || tries === 300) {
      await stop(child)
      throw new Error(`moto's server did not start: ${log}`)
    }
    await sleep(100)
  }
  return { url, close: () => stop(child) }
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/moto-api/data.json`).then(
    async (response) => {
      await response.arrayBuffer()
      return response.ok
    },
    () => false,
  )
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
