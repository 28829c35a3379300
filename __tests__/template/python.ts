import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from '@jest/globals'

/** AWS's own tools for templates, and moto, are Python packages: what they are called by Python and by pip. */
const PACKAGES = { samtranslator: 'aws-sam-translator', cfnlint: 'cfn-lint', moto: "'moto[server]'" }
const ENV = { ...process.env, AWS_DEFAULT_REGION: 'eu-west-1', PYTHONDONTWRITEBYTECODE: '1' }

/** `describe`, or where Python lacks a package a skipped test and a line that says so. */
export function describeWithPython(
  name: string,
  modules: Array<keyof typeof PACKAGES>,
  tests: () => void,
): void {
  const probe = `from importlib.util import find_spec as f; print(*[m for m in ${JSON.stringify(modules)} if not f(m)])`
  const { status, stdout } = spawnSync('python3', ['-c', probe], { encoding: 'utf8' })
  const missing = status === 0 ? (stdout.trim().split(' ').filter(Boolean) as typeof modules) : modules
  const packages = missing.map((module) => PACKAGES[module]).join(' ')
  if (missing.length === 0) describe(name, tests)
  else {
    process.stderr.write(`SKIPPED: ${name}: python3 -m pip install ${packages}\n`)
    describe(name, () => test.skip('SKIPPED, all of it', () => {}))
  }
}

/** Runs a Python program and gives what it printed. */
export function python(
  args: string[],
  input = '',
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('python3', args, { input, encoding: 'utf8', env: ENV })
}

/** A template with AWS's SAM transform applied. Throws with the translator's words when it refuses. */
export function transformed(template: string): Record<string, unknown> {
  const { status, stdout, stderr } = python([join(import.meta.dirname, 'transform.py')], template)
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Record<string, unknown>
}

/** Starts moto with the SAM transform before its CloudFormation; see aws_by_moto.py. */
export async function startMoto(): Promise<{ url: string; stop: () => Promise<void> }> {
  const child: ChildProcess = spawn('python3', [join(import.meta.dirname, 'aws_by_moto.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: ENV,
  })
  let log = ''
  child.stderr?.on('data', (chunk) => {
    log = (log + chunk).slice(-4000)
  })
  const exited = once(child, 'exit')
  const port = await Promise.race([
    once(child.stdout as NonNullable<typeof child.stdout>, 'data').then(([data]) => String(data).trim()),
    exited.then(() => undefined),
  ])
  if (!port) throw new Error(`moto did not start: ${log}`)
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.stdin?.end()
      child.kill()
      await exited
    },
  }
}
