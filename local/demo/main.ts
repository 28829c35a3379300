/**
 * The demo: uploads a real directory tree and a set of difficult keys into the embedded S3, copies the bucket with the
 * built action as GitHub's runner would, in an account that is empty but for the buckets, and compares source and
 * destination object by object. A second run then finds the stack that the first one deployed.
 *
 *     npm run demo [-- --from DIR]
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'
import { readArguments, refuse } from '../arguments.ts'
import { startAws } from '../index.ts'
import { runPost, runStep, type StepResult } from '../runner.ts'
import { Content } from '../s3/index.ts'
import { compareBuckets } from './compare.ts'
import { type DemoObject, difficultObjects, filesBelow } from './objects.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const SOURCE = 'demo-source'
const DESTINATION = 'demo-destination'
const SHOWN = 20
/** Larger than one CopyObject or one part can be; the embedded S3 holds it as a pattern. */
const LARGE = { key: 'large/12 GiB', bytes: 12 * 1024 ** 3 }

const { values } = readArguments({
  options: { from: { type: 'string', default: join(ROOT, 'node_modules') } },
})

const from = await stat(values.from).catch(() => undefined)
if (!from?.isDirectory()) refuse(`--from: ${values.from} is no directory`)

const aws = await startAws()
const s3 = new S3Client({
  endpoint: aws.url,
  region: aws.region,
  credentials: aws.credentials,
  forcePathStyle: true,
})
try {
  const objects = [
    ...(await filesBelow(resolve(values.from))),
    ...difficultObjects('difficult/'),
    ...difficultObjects(''),
  ]
  for (const bucket of [SOURCE, DESTINATION]) await s3.send(new CreateBucketCommand({ Bucket: bucket }))
  console.log(
    `Uploading ${objects.length} objects from ${values.from} and the list of difficult keys, and one object of 12 GiB`,
  )
  await upload(objects)
  aws.s3.store.put(SOURCE, LARGE.key, Content.sparse(LARGE.bytes, 'demo'), {
    headers: new Map([['content-type', 'application/x-large']]),
    tags: new Map([['team', 'data']]),
    storageClass: 'STANDARD_IA',
  })

  const first = await run({})
  console.log(`\n${first.summary}`)

  console.log('Comparing source and destination object by object')
  const { identical, total, differences } = await compareBuckets(s3, SOURCE, DESTINATION)
  for (const difference of differences.slice(0, SHOWN)) console.log(difference)
  if (differences.length > SHOWN) console.log(`and ${differences.length - SHOWN} more differences`)

  console.log('\nA second run in the same account, of a few objects')
  const second = await run({ prefixes: 'difficult/' })
  const reused = /Reused in .*/.exec(second.log)?.[0]
  console.log(`\n${reused ?? 'the second run did not reuse the stack'}`)

  const succeeded = [first, second].every(({ exitCode }) => exitCode === 0)
  const proven = succeeded && reused !== undefined && total === objects.length + 1 && differences.length === 0
  if (!proven) showErrors()
  for (const name of ['listed', 'copied', 'failed', 'dlq']) console.log(`${name}: ${first.outputs[name]}`)
  console.log(`identical: ${identical} of ${total}`)
  process.exitCode = proven ? 0 : 1
} finally {
  s3.destroy()
  await aws.stop()
}

/** Runs the action and its post step, as a job does. */
async function run(inputs: Record<string, string>): Promise<StepResult> {
  const step = await runStep({
    inputs: {
      source: `s3://${SOURCE}`,
      destination: `s3://${DESTINATION}`,
      // A process for each function at work: a small machine is no faster with more.
      'max-concurrency': '3',
      'poll-interval': '2',
      ...inputs,
    },
    env: aws.env,
    onLine: (line) => console.log(line),
  })
  await runPost(step.state, aws.env)
  return step
}

/** What the functions logged of errors, for when something went wrong. */
function showErrors(): void {
  for (const { name } of aws.lambda.functions)
    for (const line of aws.lambda
      .logs(name)
      .filter((it) => it.includes('ERROR'))
      .slice(-SHOWN))
      console.log(name, line)
}

async function upload(items: DemoObject[]): Promise<void> {
  const limit = pLimit(32)
  await Promise.all(items.map((item) => limit(() => put(item))))
}

async function put({ key, path, contentType, metadata, tagging, storageClass }: DemoObject): Promise<void> {
  const body = path
    ? { Body: createReadStream(path), ContentLength: (await stat(path)).size }
    : { Body: `the object with the key ${JSON.stringify(key)}` }
  await s3.send(
    new PutObjectCommand({
      Bucket: SOURCE,
      Key: key,
      ContentType: contentType,
      Metadata: metadata,
      Tagging: tagging,
      StorageClass: storageClass,
      ...body,
    }),
  )
}
