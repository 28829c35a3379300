import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { STSClient } from '@aws-sdk/client-sts'
import { SQS_ATTEMPTS } from '../aws/queue.ts'
import { nameCalls, VERSION } from './stack/index.ts'

/** Tries of each call but SQS's: what fails ends a deployment, or the watching. Between them the SDK backs off, up to 20 s. */
const ATTEMPTS = 8
/**
 * A connection on which nothing has come or gone for so long is taken for lost, and the call made again: the network may
 * swallow a request, and the SDK would wait for its answer for ever. The slowest answers are SQS's to a long poll (20 s) and
 * a function's to a check (10 s, and its start).
 */
const SILENCE_MS = 30_000
/** How long it may take to connect: a few lost packets. */
const CONNECT_MS = 10_000

/**
 * The AWS clients of the action, all of one region, with errors that name a missing permission. CloudTrail shows by
 * their user agent which workflow run made a call.
 *
 * @param silenceMs how long a call waits for a sign of life; it is made again then, and throws a TimeoutError in the end
 */
export function createClients(region: string, silenceMs = SILENCE_MS) {
  const requestHandler = { connectionTimeout: CONNECT_MS, socketTimeout: silenceMs }
  const config = { region, customUserAgent: userAgent(), requestHandler, maxAttempts: ATTEMPTS }
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
  return {
    cfn: nameCalls(new CloudFormationClient(config)),
    lambda: nameCalls(new LambdaClient(config)),
    s3: nameCalls(
      new S3Client({
        ...config,
        // Buckets may be in other regions than the stack.
        followRegionRedirects: true,
        // A server like S3 has no host names for buckets as a rule; the functions do the same.
        forcePathStyle: Boolean(AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL),
      }),
    ),
    sqs: nameCalls(
      // A run's queue is named in its checkpoint, which must not choose the host that signed requests go to.
      new SQSClient({ ...config, maxAttempts: SQS_ATTEMPTS, useQueueUrlAsEndpoint: false }),
    ),
    sts: nameCalls(new STSClient(config)),
  }
}

export type Clients = ReturnType<typeof createClients>

function userAgent(): [string, string][] {
  const { GITHUB_RUN_ID: run, GITHUB_RUN_ATTEMPT: attempt } = process.env
  const workflow: [string, string][] = run ? [['github-run', `${run}.${attempt ?? 1}`]] : []
  return [['s3-71-action', VERSION], ...workflow]
}
