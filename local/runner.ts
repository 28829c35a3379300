import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'

const ROOT = join(import.meta.dirname, '..')

/** Folders of the steps run so far: a step's report can be read until this process ends. */
const folders: string[] = []
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

type Metadata = {
  inputs: Record<string, { default?: string; required?: boolean }>
  runs: { main: string; post: string }
}

/** What the runner knows of a step when the action's process has ended. */
export type StepResult = {
  exitCode: number | null
  outputs: Record<string, string>
  /** Markdown of the job summary. */
  summary: string
  state: Record<string, string>
  /** All that the action printed, workflow commands included. */
  log: string
}

type Step = { process: ChildProcess; result: Promise<StepResult> }

export type StepOptions = {
  inputs: Record<string, string>
  /** Environment of the job, such as the AWS credentials and endpoint. */
  env: Record<string, string>
  /** Told each line of the log as it comes. */
  onLine?: (line: string) => void
}

/**
 * Starts the built action as GitHub's runner does: inputs with the defaults of action.yml as INPUT_ variables, and files
 * for outputs, state and summary.
 */
export async function startStep({ inputs, env, onLine }: StepOptions): Promise<Step> {
  const metadata = await readMetadata()
  const given: Record<string, string> = {}
  for (const [name, { default: fallback = '' }] of Object.entries(metadata.inputs))
    given[inputVariable(name)] = inputs[name] ?? String(fallback)
  return await start(metadata.runs.main, { ...env, ...given }, onLine)
}

/** Runs the action and waits for its end. */
export async function runStep(options: StepOptions): Promise<StepResult> {
  const { result } = await startStep(options)
  return await result
}

/** Runs the action's `post` with what main saved, as the runner does at the end of the job. */
export async function runPost(
  state: Record<string, string>,
  env: Record<string, string>,
): Promise<StepResult> {
  const metadata = await readMetadata()
  const saved = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
  const { result } = await start(metadata.runs.post, { ...env, ...saved })
  return await result
}

async function readMetadata(): Promise<Metadata> {
  return parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as Metadata
}

function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`
}

async function start(
  entry: string,
  env: Record<string, string>,
  onLine?: (line: string) => void,
): Promise<Step> {
  const temp = await mkdtemp(join(tmpdir(), 's3-71-step-'))
  folders.push(temp)
  const files = { output: join(temp, 'output'), state: join(temp, 'state'), summary: join(temp, 'summary') }
  await Promise.all(Object.values(files).map((file) => writeFile(file, '')))
  const child = spawn(process.execPath, [join(ROOT, entry)], {
    env: {
      PATH: process.env.PATH,
      ...env,
      RUNNER_TEMP: env.RUNNER_TEMP ?? temp,
      GITHUB_OUTPUT: files.output,
      GITHUB_STATE: files.state,
      GITHUB_STEP_SUMMARY: files.summary,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = collect(child, onLine)
  const result = new Promise<number | null>((resolve) => child.on('close', resolve)).then(
    async (exitCode) => {
      const [outputs, state, summary] = await Promise.all([
        readFile(files.output, 'utf8').then(parseFileCommand),
        readFile(files.state, 'utf8').then(parseFileCommand),
        readFile(files.summary, 'utf8'),
      ])
      return { exitCode, outputs, state, summary, log: log() }
    },
  )
  return { process: child, result }
}

function collect(child: ChildProcess, onLine?: (line: string) => void): () => string {
  let text = ''
  let unfinished = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const lines = (unfinished + chunk).split('\n')
      unfinished = lines.pop() ?? ''
      if (onLine) lines.forEach(onLine)
    })
  return () => text
}

/** Reads `name<<delimiter`, value lines, `delimiter` (GitHub's workflow commands reference, environment files). */
function parseFileCommand(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  const lines = text.split(/\r?\n/)
  for (let index = 0; index < lines.length; index++) {
    const [, name, delimiter] = /^(.*?)<<(.*)$/.exec(lines[index] as string) ?? []
    if (name === undefined || delimiter === undefined) continue
    const end = lines.indexOf(delimiter, index + 1)
    values[name] = lines.slice(index + 1, end).join('\n')
    index = end
  }
  return values
}
