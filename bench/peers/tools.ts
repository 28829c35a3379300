import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'

/** Another program that copies a bucket into another by CopyObject. */
export type Peer = {
  name: string
  command: string
  version: string[]
  /** Copies all of the bucket `source` into `destination`, as many at once as a copy function. */
  copy: (url: string) => string[]
  /** What it needs besides the AWS variables. */
  environment: (url: string) => Record<string, string>
}

const IN_FLIGHT = '256'

export const PEERS: Peer[] = [
  {
    name: 's5cmd',
    command: 's5cmd',
    version: ['version'],
    copy: () => ['--numworkers', IN_FLIGHT, '--log', 'error', 'cp', 's3://source/*', 's3://destination/'],
    environment: (url) => ({ S3_ENDPOINT_URL: url }),
  },
  {
    name: 'rclone',
    command: 'rclone',
    version: ['version'],
    copy: () => [
      ...['copy', 'bench:source', 'bench:destination', '--transfers', IN_FLIGHT, '--checkers', IN_FLIGHT],
      // Without a look at the destination for each object, and with no second look at each copy.
      ...['--ignore-times', '--no-traverse', '--no-check-dest', '--s3-no-head', '--config', '/dev/null'],
    ],
    environment: (url) => ({
      RCLONE_CONFIG_BENCH_TYPE: 's3',
      RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
      RCLONE_CONFIG_BENCH_LIST_VERSION: '2',
      RCLONE_CONFIG_BENCH_FORCE_PATH_STYLE: 'true',
      RCLONE_CONFIG_BENCH_ENV_AUTH: 'true',
      RCLONE_CONFIG_BENCH_ENDPOINT: url,
    }),
  },
  {
    name: 'aws-cli',
    command: 'aws',
    version: ['--version'],
    // Older ones know no AWS_ENDPOINT_URL, and would ask AWS itself.
    copy: (url) => [
      ...['--endpoint-url', url, 's3', 'cp', '--recursive', '--only-show-errors'],
      ...['s3://source', 's3://destination'],
    ],
    environment: () => ({ AWS_MAX_ATTEMPTS: '1' }),
  },
]

/** Whether a command is on the PATH. */
export async function isInstalled(command: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(delimiter))
    if (
      await access(join(folder, command), constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return true
  return false
}

/** The first thing that looks like a version in what a peer says of itself. */
export async function versionOf({ command, version }: Peer): Promise<string> {
  const { said } = await run(command, version, {})
  return /\d+(\.\d+)+/.exec(said)?.[0] ?? 'of an unknown version'
}

/**
 * Runs a command to its end, in a shell that tells what CPU time its children took. Throws when it fails.
 */
export async function run(
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ cpuMs: number; wallMs: number; said: string }> {
  const began = performance.now()
  // POSIX: `times` prints the shell's own user and system time, then its children's.
  const child = spawn('sh', ['-c', '"$@" 2>&1; code=$?; times; exit $code', 'sh', command, ...args], {
    // Not the rest of this process's environment, which may speak of another AWS.
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  const wallMs = performance.now() - began
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${said.slice(0, 500)}`)
  return { cpuMs: cpuMsIn(said), wallMs, said }
}

/** The children's user and system time in what `times` printed last, in ms. */
export function cpuMsIn(said: string): number {
  const spans = [...said.matchAll(/(\d+)m([\d.]+)s/g)].slice(-2)
  return spans.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0)
}
