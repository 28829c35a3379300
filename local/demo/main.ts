/**
 * The demo: uploads a real directory tree and a set of difficult keys into the embedded S3, copies the bucket with the
 * built action as GitHub's runner would, and compares source and destination object by object.
 *
 *     npm run demo [-- --from DIR]
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import pLimit from 'p-limit'
import { startAws } from '../index.ts'
import { runPost, runStep } from '../runner.ts'
import { compareBuckets } from './compare.ts'
import { type DemoObject, difficultObjects, filesBelow } from './objects.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const SOURCE = 'demo-source'
const DESTINATION = 'demo-destination'
const STACK = 's3-71-demo'
const SHOWN = 20

const { values } = parseArgs({ options: { from: { type: 'string', default: join(ROOT, 'node_modules') } } })

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
  console.log(`Uploading ${objects.length} objects from ${values.from} and the list of difficult keys`)
  await upload(objects)

  await aws.deploy({
    stackName: STACK,
    template: join(ROOT, 'template.yaml'),
    parameters: {
      SourceBucketArns: `arn:aws:s3:::${SOURCE}`,
      DestinationBucketArns: `arn:aws:s3:::${DESTINATION}`,
      // A process for each function at work; a small machine is no faster with more.
      CopyMaxConcurrency: '3',
      ListMaxConcurrency: '2',
    },
  })
  const step = await runStep({
    inputs: {
      source: `s3://${SOURCE}`,
      destination: `s3://${DESTINATION}`,
      'stack-name': STACK,
      'poll-interval': '2',
    },
    env: aws.env,
    onLine: (line) => console.log(line),
  })
  const post = await runPost(step.state, aws.env)
  console.log(`${post.log}\n${step.summary}`)

  console.log('Comparing source and destination object by object')
  const { identical, total, differences } = await compareBuckets(s3, SOURCE, DESTINATION)
  for (const difference of differences.slice(0, SHOWN)) console.log(difference)
  if (differences.length > SHOWN) console.log(`and ${differences.length - SHOWN} more differences`)
  for (const name of ['listed', 'copied', 'failed', 'dlq']) console.log(`${name}: ${step.outputs[name]}`)
  console.log(`identical: ${identical} of ${total}`)
  const proven =
    step.exitCode === 0 && post.exitCode === 0 && total === objects.length && differences.length === 0
  process.exitCode = proven ? 0 : 1
} finally {
  s3.destroy()
  await aws.stop()
}

async function upload(items: DemoObject[]): Promise<void> {
  const limit = pLimit(32)
  await Promise.all(items.map((item) => limit(() => put(item))))
}

async function put({ key, path, contentType, metadata }: DemoObject): Promise<void> {
  const body = path
    ? { Body: createReadStream(path), ContentLength: (await stat(path)).size }
    : { Body: `the object with the key ${JSON.stringify(key)}` }
  await s3.send(
    new PutObjectCommand({ Bucket: SOURCE, Key: key, ContentType: contentType, Metadata: metadata, ...body }),
  )
}
