import * as core from '@actions/core'
import { KEY_BYTES, utf8Length } from '../protocol/key.ts'
import { overlappingPrefixes } from '../protocol/range.ts'
import type { Options, Place } from '../protocol/run.ts'
import { type Budget, parseBudget } from './budget.ts'
import type { Mode } from './checkpoint/run-key.ts'
import { UserError } from './errors.ts'
import { BUCKET, joinsNames, overlaps, parseLocation } from './location.ts'
import { readOptions } from './options.ts'
import { readChoice, readOptional } from './read-input.ts'
import type { AfterRun } from './stack/index.ts'
import { printable } from './text.ts'

/** The action's inputs, valid together. */
export type Inputs = {
  /** What the run begins with: the source's keys, or the tasks in the DLQ. */
  mode: Mode
  source: Place
  destination: Place
  stackName: string
  region: string
  /** What comes after the source prefix; empty means everything. */
  prefixes: string[]
  batchSize: number
  maxConcurrency: number
  pollSeconds: number
  timeoutMinutes: number
  /** Whether to watch the run to its end. */
  wait: boolean
  runKey: string | undefined
  failOnError: boolean
  /** How much may fail before the run is stopped; undefined means any number. */
  maxFailures: Budget | undefined
  deploy: 'auto' | 'never'
  afterRun: AfterRun
  artifactBucket: string | undefined
  sourceKmsKey: string | undefined
  destinationKmsKey: string | undefined
  permissionsBoundary: string | undefined
  stackTags: Record<string, string>
  /** What becomes of all that belongs to an object. */
  options: Options
}

const KMS_KEY = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[a-zA-Z0-9-]+$/
const IAM_POLICY = /^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/.+$/
/** SQS allows a queue's name 80 characters, of which `-run-` and the run's id take 30. */
const STACK_NAME = /^[a-zA-Z][a-zA-Z0-9-]{0,49}$/

/** Reads and checks all inputs. Throws one UserError that names every problem. */
export function readInputs(): Inputs {
  const problems: string[] = []
  const attempt = <T>(read: () => T, fallback: T): T => {
    try {
      return read()
    } catch (error) {
      problems.push((error as Error).message)
      return fallback
    }
  }
  const optional = (name: string, pattern: RegExp, what: string) =>
    attempt(() => readOptional(name, pattern, what), undefined)
  const nowhere = { bucket: '', prefix: '' }
  const source = attempt(() => readPlace('source'), nowhere)
  const destination = attempt(() => readPlace('destination'), nowhere)
  if (source !== nowhere && destination !== nowhere) {
    const problem = overlaps(source, destination)
    if (problem) problems.push(problem)
    const trap = joinsNames(source, destination)
    if (trap) core.warning(trap)
  }
  const inputs = {
    mode: attempt<Mode>(() => readChoice('mode', ['copy', 'redrive']), 'copy'),
    source,
    destination,
    stackName: attempt(readStackName, ''),
    region: attempt(readRegion, ''),
    prefixes: attempt(() => readPrefixes(source.prefix), []),
    batchSize: attempt(() => readNumber('batch-size', 1, 1000), 0),
    maxConcurrency: attempt(() => readNumber('max-concurrency', 2, 1000), 0),
    pollSeconds: attempt(() => readNumber('poll-interval', 1, 300), 0),
    timeoutMinutes: attempt(() => readNumber('timeout', 1, 7200), 0),
    wait: attempt(() => readBoolean('wait'), true),
    runKey: optional('run-key', /^.{1,256}$/, 'a single line of at most 256 characters'),
    failOnError: attempt(() => readBoolean('fail-on-error'), true),
    maxFailures: attempt(() => parseBudget('max-failures', core.getInput('max-failures')), undefined),
    deploy: attempt<Inputs['deploy']>(() => readChoice('deploy', ['auto', 'never']), 'auto'),
    afterRun: attempt<AfterRun>(() => readChoice('after-run', ['pause', 'keep', 'delete']), 'pause'),
    artifactBucket: optional('artifact-bucket', BUCKET, 'the name of a bucket'),
    sourceKmsKey: optional('source-kms-key', KMS_KEY, 'the ARN of a KMS key'),
    destinationKmsKey: optional('destination-kms-key', KMS_KEY, 'the ARN of a KMS key'),
    permissionsBoundary: optional('permissions-boundary', IAM_POLICY, 'the ARN of an IAM policy'),
    stackTags: attempt(readStackTags, {}),
    options: readOptions(attempt),
  }
  if (inputs.mode === 'redrive' && inputs.prefixes.length > 0)
    problems.push(
      'prefixes: not allowed with `mode: redrive`, which takes all dead-lettered tasks between source and destination',
    )
  if (problems.length > 0) {
    const count = problems.length === 1 ? 'An input is' : `${problems.length} inputs are`
    throw new UserError(
      `${count} invalid. Nothing was changed.\n${problems.map((line) => `- ${line}`).join('\n')}`,
    )
  }
  return inputs
}

function readPlace(name: string): Place {
  // Not trimmed: a prefix may end with a space. What comes of writing it on lines of its own goes, and what follows a bucket.
  const text = core.getInput(name, { trimWhitespace: false }).trimStart()
  const place = parseLocation(name, text.replace(/[\r\n]+\s*$/, '').replace(/^(s3:\/\/[^/]*?)\s+$/, '$1'))
  if (/[\r\n]/.test(place.prefix))
    throw new Error(
      `${name}: has more than one line, but must be one location. Put several prefixes of it into \`prefixes\`, and copy other locations in other steps`,
    )
  warnOfEnd(name, [place.prefix])
  return place
}

/** Prefixes are plain text, whatever one is used to. */
function warnOfEnd(name: string, prefixes: string[]): void {
  if (prefixes.some((prefix) => prefix !== prefix.trimEnd()))
    core.warning(`${name}: a prefix ends with a space. The space is part of the prefix.`)
  if (prefixes.some((prefix) => prefix.endsWith('*')))
    core.warning(
      `${name}: a prefix ends with \`*\`, which is part of the prefix and no wildcard. A prefix already stands for all keys that begin with it.`,
    )
}

function readStackName(): string {
  const name = core.getInput('stack-name')
  if (!STACK_NAME.test(name))
    throw new Error(
      `stack-name: "${printable(name)}" must begin with a letter and have at most 50 letters, digits and hyphens`,
    )
  return name
}

function readRegion(): string {
  const region = core.getInput('region') || process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || ''
  if (region === '')
    throw new Error(
      'region: not given, and neither AWS_REGION nor AWS_DEFAULT_REGION is set in the environment',
    )
  if (!/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region))
    throw new Error(`region: "${printable(region)}" is not the name of an AWS region, such as eu-central-1`)
  return region
}

function readPrefixes(sourcePrefix: string): string[] {
  // Not getMultilineInput, which trims: a prefix may begin or end with a space.
  const lines = core.getInput('prefixes', { trimWhitespace: false }).split(/\r?\n/)
  const prefixes = lines.filter((line) => line.trim() !== '')
  const twice = overlappingPrefixes(prefixes)
  if (twice)
    throw new Error(
      `prefixes: "${printable(twice[1])}" lies within "${printable(twice[0])}", so its objects would be copied twice`,
    )
  warnOfEnd('prefixes', prefixes)
  const long = prefixes.find((prefix) => utf8Length(sourcePrefix + prefix) > KEY_BYTES)
  if (long) throw new Error(`prefixes: "${printable(long)}" is longer than a key can be (1,024 bytes)`)
  return prefixes
}

function readNumber(name: string, least: number, most: number): number {
  const text = core.getInput(name)
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Error(`${name}: "${printable(text)}" must be a whole number from ${least} to ${most}`)
  return value
}

/** Lines of `name=value`; AWS allows 128 and 256 characters (CloudFormation API reference, Tag). */
function readStackTags(): Record<string, string> {
  const lines = core.getMultilineInput('stack-tags')
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^([^=]{1,128})=(.{0,256})$/.exec(line) ?? []
      if (name.trim() === '' || /^aws:/i.test(name))
        throw new Error(
          `stack-tags: "${printable(line)}" must be name=value, and the name must not begin with aws:`,
        )
      return [name.trim(), value.trim()]
    }),
  )
}

function readBoolean(name: string): boolean {
  const text = core.getInput(name)
  if (!/^(true|false)$/i.test(text)) throw new Error(`${name}: "${printable(text)}" must be true or false`)
  return text.toLowerCase() === 'true'
}
