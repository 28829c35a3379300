import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { createCloudFormation, type Stacks } from './cloudformation/index.ts'
import { close, listen } from './http.ts'
import { ACCESS_KEY_ID, ACCOUNT_ID, SECRET_ACCESS_KEY } from './identity.ts'
import { createLambdaApi } from './lambda/api.ts'
import { Lambda } from './lambda/index.ts'
import { packageTemplate, type UploadCode } from './package-template.ts'
import { createRouter } from './router.ts'
import { createS3, type S3 } from './s3/index.ts'
import { createSqs, type QueueStore, type SqsFaults } from './sqs.ts'
import { createSts } from './sts.ts'

type AwsOptions = {
  /** 0, the default, takes a free one. */
  port?: number
  /** The address to listen on: 127.0.0.1, or `0.0.0.0` for all that this machine has. */
  host?: string
  /** The one region in which queues, functions and stacks are. */
  region?: string
  /** Concurrent executions that the account's Lambda quota allows. */
  concurrency?: number
  /** Options of the embedded S3, such as faults. */
  s3?: Parameters<typeof createS3>[0]
  /** Faults of the embedded SQS. */
  sqs?: SqsFaults
}

type DeployInput = {
  stackName: string
  /** Path of a template file; CodeUri may be a folder or a zip beside it. */
  template: string
  parameters?: Record<string, string>
}

export type Aws = {
  url: string
  region: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  /** Environment with which the AWS SDKs and the AWS CLI talk to this endpoint. */
  env: Record<string, string>
  s3: S3
  queues: QueueStore
  lambda: Lambda
  stacks: Stacks
  /** Creates a stack from a template file, as `sam deploy` would, and gives its outputs. Throws when that fails. */
  deploy: (input: DeployInput) => Promise<Record<string, string>>
  stop: () => Promise<void>
}

const CODE_BUCKET = `local-artifacts-${ACCOUNT_ID}`
/** Longer than an instance is usually frozen, for its connections must still be there when it wakes. */
const KEEP_ALIVE_MS = 60_000

/** Starts an AWS for one machine: S3, SQS, Lambda, CloudFormation and STS on one endpoint. */
export async function startAws(options: AwsOptions = {}): Promise<Aws> {
  const { port = 0, host = '127.0.0.1', region = 'us-east-1', concurrency = 1000 } = options
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS })
  const url = await listen(server, port, host)
  const env = {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
  }
  const clientConfig = { endpoint: url, region, credentials }
  const s3Client = new S3Client({ ...clientConfig, forcePathStyle: true })
  const sqsClient = new SQSClient(clientConfig)

  const readObject = async (Bucket: string, Key: string) => {
    const { Body } = await s3Client.send(new GetObjectCommand({ Bucket, Key }))
    return (await Body?.transformToByteArray()) ?? new Uint8Array()
  }
  const uploadCode: UploadCode = async (zip) => {
    const place = { Bucket: CODE_BUCKET, Key: `${createHash('sha256').update(zip).digest('hex')}.zip` }
    await s3Client.send(new CreateBucketCommand({ Bucket: CODE_BUCKET })).catch(ignoreOwned)
    await s3Client.send(new PutObjectCommand({ ...place, Body: zip }))
    return place
  }

  const s3 = createS3(options.s3)
  const sqs = await createSqs(region, options.sqs)
  const lambda = new Lambda({ region, sqs, concurrency, env })
  const cloudFormation = createCloudFormation({ region, sqs: sqsClient, lambda, readObject })
  server.on(
    'request',
    createRouter(
      new Map([
        ['s3', s3.handle],
        ['sqs', sqs.handle],
        ['lambda', createLambdaApi(lambda)],
        ['cloudformation', cloudFormation.handle],
        ['sts', createSts()],
      ]),
    ),
  )

  return {
    url,
    region,
    credentials,
    env,
    s3,
    queues: sqs.store,
    lambda,
    stacks: cloudFormation.stacks,
    deploy: (input) => deploy(input, cloudFormation.stacks, uploadCode),
    async stop() {
      await lambda.stop()
      await sqs.stop()
      s3Client.destroy()
      sqsClient.destroy()
      await close(server)
    },
  }
}

async function deploy(
  { stackName, template, parameters = {} }: DeployInput,
  stacks: Stacks,
  upload: UploadCode,
): Promise<Record<string, string>> {
  const stack = stacks.create({
    stackName,
    template: await packageTemplate(template, upload),
    parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    })),
    capabilities: ['CAPABILITY_IAM', 'CAPABILITY_AUTO_EXPAND'],
  })
  await stack.operation
  if (stack.status !== 'CREATE_COMPLETE') {
    const failure = stack.events.find(({ status }) => status.endsWith('_FAILED'))
    throw new Error(`The stack ${stackName} is ${stack.status}: ${failure?.logicalId}: ${failure?.reason}`)
  }
  return Object.fromEntries(stack.outputs.map(({ key, value }) => [key, value]))
}

function ignoreOwned(error: Error): void {
  if (error.name !== 'BucketAlreadyOwnedByYou') throw error
}
