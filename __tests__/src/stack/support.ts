import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { STSClient } from '@aws-sdk/client-sts'
import { zipSync } from 'fflate'
import { type Aws, startAws } from '../../../local/index.ts'
import type { StackRequest } from '../../../src/stack/ensure.ts'
import type { Tools } from '../../../src/stack/tools.ts'

export const TEMPLATE = join(import.meta.dirname, '..', '..', '..', 'template.yaml')
export const STACK = 's3-71'

export type Clients = {
  cfn: CloudFormationClient
  lambda: LambdaClient
  s3: S3Client
  sts: STSClient
  sqs: SQSClient
}

/** Clients for an endpoint, and the calls that they have made: `CloudFormation DescribeStacks`. */
export function clientsFor(config: { endpoint: string; region: string; credentials: Aws['credentials'] }): {
  clients: Clients
  calls: string[]
} {
  const calls: string[] = []
  const clients = {
    cfn: new CloudFormationClient(config),
    lambda: new LambdaClient(config),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    sts: new STSClient(config),
    sqs: new SQSClient(config),
  }
  for (const client of Object.values(clients))
    (client as CloudFormationClient).middlewareStack.add(
      (next, context) => async (args) => {
        const { clientName = '', commandName = '' } = context
        calls.push(`${clientName.replace(/Client$/, '')} ${commandName.replace(/Command$/, '')}`)
        return await next(args)
      },
      { step: 'initialize' },
    )
  return { clients, calls }
}

/** The embedded AWS with some buckets and nothing else, and what the code under test needs there. */
export async function emptyAccount(options: { concurrency?: number } = {}): Promise<{
  aws: Aws
  clients: Clients
  calls: string[]
  request: StackRequest
  stop: () => Promise<void>
}> {
  const aws = await startAws({ region: 'eu-west-1', ...options })
  const { clients, calls } = clientsFor({
    endpoint: aws.url,
    region: aws.region,
    credentials: aws.credentials,
  })
  const folder = mkdtempSync(join(tmpdir(), 's3-71-stack-'))
  for (const Bucket of ['photos-old', 'photos-new', 'films-old', 'films-new'])
    await clients.s3.send(
      new CreateBucketCommand({
        Bucket,
        CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
      }),
    )
  calls.length = 0
  return {
    aws,
    clients,
    calls,
    request: {
      stackName: STACK,
      region: aws.region,
      deploy: 'auto',
      sourceBucket: 'photos-old',
      destinationBucket: 'photos-new',
      maxConcurrency: 8,
      templatePath: TEMPLATE,
      codePath: writeCode(folder, 'export const handler = async (event) => event'),
    },
    async stop() {
      for (const client of Object.values(clients)) client.destroy()
      await aws.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Writes a zip with both functions, each of this source, and gives its path. */
export function writeCode(folder: string, source: string): string {
  const path = join(folder, `functions-${source.length}.zip`)
  const code = Buffer.from(source)
  writeFileSync(path, zipSync({ 'list/index.mjs': code, 'copy/index.mjs': code }))
  return path
}

/** A copy of template.yaml with something replaced, and its path. Throws when there is nothing to replace. */
export async function changedTemplate(folder: string, from: string | RegExp, to: string): Promise<string> {
  const template = await readFile(TEMPLATE, 'utf8')
  const changed = template.replaceAll(
    from instanceof RegExp ? from : new RegExp(RegExp.escape(from), 'g'),
    to,
  )
  if (changed === template) throw new Error(`template.yaml has no ${from}`)
  const path = join(folder, `template-${Math.random()}.yaml`)
  writeFileSync(path, changed)
  return path
}

/** Tools whose pauses are short, with all that was logged. */
export function tools(): Tools & { lines: string[] } {
  const lines: string[] = []
  return {
    lines,
    timing: { now: Date.now, random: Math.random, sleep: async () => void (await delay(5)) },
    log: { info: (line) => lines.push(line), warning: (line) => lines.push(`WARNING ${line}`) },
  }
}
