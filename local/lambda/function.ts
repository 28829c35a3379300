import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { unzipSync } from 'fflate'
import { LambdaError } from './errors.ts'

/** What a function is made of, apart from its code; units as in Lambda's API. */
export type FunctionSettings = {
  name: string
  runtime: string
  handler: string
  role: string
  /** Seconds, 1–900. */
  timeout: number
  /** MB, 128–10,240. */
  memorySize: number
  environment: Record<string, string>
  /** Whether the function may go on invoking itself through a queue. */
  recursiveLoop: 'Allow' | 'Terminate'
}

/** One deployed revision of a function. */
export type FunctionRevision = FunctionSettings & {
  arn: string
  region: string
  lastModified: Date
  codeFolder: string
  codeSize: number
  codeSha256: string
}

const RESERVED = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
])
const ENVIRONMENT_BYTES = 4096
/** Unpacked size of a function's code at most (Lambda quotas). */
const CODE_BYTES = 250 * 1024 * 1024

/** Refuses what Lambda's CreateFunction refuses, so far as a template can get it wrong. Throws {@link LambdaError}. */
export function checkSettings({ runtime, timeout, memorySize, environment }: FunctionSettings): void {
  const fail = (message: string) => {
    throw new LambdaError('InvalidParameterValueException', message)
  }
  if (!/^nodejs\d+\.x$/.test(runtime)) fail(`the embedded Lambda runs Node.js only, not ${runtime}`)
  if (!(timeout >= 1 && timeout <= 900)) fail(`Timeout must be 1 to 900 seconds, not ${timeout}`)
  if (!(memorySize >= 128 && memorySize <= 10_240))
    fail(`MemorySize must be 128 to 10240 MB, not ${memorySize}`)
  const reserved = Object.keys(environment).filter((key) => RESERVED.has(key) || /^AWS_LAMBDA_/.test(key))
  if (reserved.length > 0) fail(`Reserved environment variables can't be set: ${reserved.join(', ')}`)
  if (Buffer.byteLength(JSON.stringify(environment)) > ENVIRONMENT_BYTES)
    fail('The environment variables exceed 4 KB')
}

/** Unpacks a function's zip into a folder of its own below `parent`. Throws {@link LambdaError}. */
export async function unpackCode(
  zip: Uint8Array,
  parent: string,
): Promise<Pick<FunctionRevision, 'codeFolder' | 'codeSize' | 'codeSha256'>> {
  let files: Record<string, Uint8Array>
  try {
    files = unzipSync(zip)
  } catch (error) {
    throw new LambdaError(
      'InvalidParameterValueException',
      `Could not unzip the code: ${(error as Error).message}`,
    )
  }
  const unpacked = Object.values(files).reduce((sum, file) => sum + file.byteLength, 0)
  if (unpacked > CODE_BYTES)
    throw new LambdaError('InvalidParameterValueException', 'The unpacked code exceeds 250 MB')
  const codeFolder = await mkdtemp(join(parent, 'code-'))
  for (const [name, content] of Object.entries(files)) {
    const path = resolve(codeFolder, name)
    if (!path.startsWith(codeFolder + sep))
      throw new LambdaError('InvalidParameterValueException', `The zip entry ${name} leads out of the zip`)
    if (name.endsWith('/')) continue
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
  return {
    codeFolder,
    codeSize: zip.byteLength,
    codeSha256: createHash('sha256').update(zip).digest('base64'),
  }
}
