import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arn } from '../identity.ts'
import type { Sqs } from '../sqs.ts'
import { LambdaError } from './errors.ts'
import { checkSettings, type FunctionRevision, type FunctionSettings, unpackCode } from './function.ts'
import type { Outcome } from './instance.ts'
import { Mapping, type MappingSettings } from './mapping.ts'
import { Pool } from './pool.ts'
import { Slots } from './slots.ts'

export { LambdaError } from './errors.ts'
export type { FunctionSettings } from './function.ts'
export type { MappingSettings } from './mapping.ts'

/** Lines of a function's log that are kept. */
const LOG_LINES = 10_000

type Deployed = { revision: FunctionRevision; pool: Pool; log: string[] }

type LambdaOptions = {
  region: string
  sqs: Pick<Sqs, 'store' | 'traceOf'>
  /** Concurrent executions of the account. */
  concurrency: number
  /** Variables that every instance gets, e.g. AWS_ENDPOINT_URL and credentials. */
  env: Record<string, string>
}

/** The embedded Lambda: functions, their instances, and the event source mappings that feed them. */
export class Lambda {
  readonly slots: Slots
  readonly mappings = new Map<string, Mapping>()
  readonly #functions = new Map<string, Deployed>()
  /** Of all revisions: an earlier one may still have an invocation to finish. */
  readonly #pools = new Set<Pool>()
  readonly #options: LambdaOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'local-lambda-'))
  /** A busy instance would outlive a process that ends without {@link stop}. */
  readonly #onExit = () => {
    for (const pool of this.#pools) void pool.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  constructor(options: LambdaOptions) {
    this.#options = options
    this.slots = new Slots(options.concurrency)
    process.once('exit', this.#onExit)
  }

  get functions(): FunctionRevision[] {
    return [...this.#functions.values()].map(({ revision }) => revision)
  }

  /** Creates a function, or replaces its code and settings if there is one. Throws {@link LambdaError}. */
  async put(settings: FunctionSettings, zip: Uint8Array): Promise<FunctionRevision> {
    checkSettings(settings)
    const { region } = this.#options
    const revision: FunctionRevision = {
      ...settings,
      ...(await unpackCode(zip, this.#folder)),
      region,
      arn: arn('lambda', region, `function:${settings.name}`),
      lastModified: new Date(),
    }
    const before = this.#functions.get(settings.name)
    const log = before?.log ?? []
    const pool = new Pool(revision, this.#environment(revision), (line) => {
      if (log.push(line) > LOG_LINES) log.shift()
    })
    this.#pools.add(pool)
    this.#functions.set(settings.name, { revision, pool, log })
    await before?.pool.retire()
    return revision
  }

  async delete(name: string): Promise<void> {
    const { pool } = this.#find(name)
    this.#functions.delete(name)
    await pool.kill()
  }

  /** The function of a name or an ARN. Throws {@link LambdaError}. */
  get(name: string): FunctionRevision {
    return this.#find(name).revision
  }

  /** What the function wrote to stdout and stderr, with Lambda's START and REPORT lines: the last 10,000 lines. */
  logs(name: string): readonly string[] {
    return this.#find(name).log
  }

  /** Process ids of a function's instances. */
  pids(name: string): { busy: number[]; idle: number[] } {
    return this.#find(name).pool.pids
  }

  /** Has a busy instance run out of memory. */
  exhaust(pid: number): void {
    for (const pool of this.#pools) pool.exhaust(pid)
  }

  /** Invokes a function with a JSON event within the account's concurrency. Throws {@link LambdaError}. */
  async invoke(name: string, event: string): Promise<Outcome> {
    const { pool } = this.#find(name)
    if (!this.slots.tryTake()) throw new LambdaError('TooManyRequestsException', 'Rate Exceeded.')
    try {
      return await pool.invoke(event)
    } finally {
      this.slots.give()
    }
  }

  /** Starts an event source mapping from a queue. Throws {@link LambdaError}. */
  map(settings: MappingSettings): Mapping {
    const { region, sqs } = this.#options
    for (const { settings: other } of this.mappings.values())
      if (other.queueArn === settings.queueArn && other.functionName === settings.functionName)
        throw new LambdaError(
          'ResourceConflictException',
          `An event source mapping from ${settings.queueArn} to ${settings.functionName} already exists`,
        )
    const mapping = new Mapping(settings, {
      region,
      sqs,
      slots: this.slots,
      // The mapping has taken its slot before it received anything.
      invoke: async (name, event, trace) =>
        (await this.#functions.get(name)?.pool.invoke(event, trace)) ?? {
          error: { errorMessage: 'no such function' },
        },
      findFunction: (name) => this.#functions.get(name)?.revision,
    })
    this.mappings.set(mapping.id, mapping)
    return mapping
  }

  /** The mapping of an id. Throws {@link LambdaError}. */
  mapping(id: string): Mapping {
    const mapping = this.mappings.get(id)
    if (!mapping)
      throw new LambdaError('ResourceNotFoundException', 'The resource you requested does not exist.')
    return mapping
  }

  unmap(id: string): Mapping {
    const mapping = this.mapping(id)
    mapping.delete()
    this.mappings.delete(id)
    return mapping
  }

  /** Ends all mappings and kills all instances. */
  async stop(): Promise<void> {
    for (const id of [...this.mappings.keys()]) this.unmap(id)
    this.#functions.clear()
    await Promise.all([...this.#pools].map((pool) => pool.kill()))
    process.off('exit', this.#onExit)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #find(nameOrArn: string): Deployed {
    const name = nameOrArn.split(':function:').at(-1)?.split(':')[0] ?? ''
    const found = this.#functions.get(name)
    if (found) return found
    const missing = arn('lambda', this.#options.region, `function:${name}`)
    throw new LambdaError('ResourceNotFoundException', `Function not found: ${missing}`)
  }

  #environment(revision: FunctionRevision): Record<string, string> {
    const { name, memorySize, handler, runtime, codeFolder, environment, region } = revision
    return {
      PATH: process.env.PATH ?? '',
      TZ: ':UTC',
      ...environment,
      ...this.#options.env,
      _HANDLER: handler,
      LAMBDA_TASK_ROOT: codeFolder,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySize),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    }
  }
}
