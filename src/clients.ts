import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { STSClient } from '@aws-sdk/client-sts'
import { SQS_ATTEMPTS } from '../aws/queue.ts'
import { namePermissions } from './stack/index.ts'

/** The AWS clients of the action, all of one region, with errors that name a missing permission. */
export function createClients(region: string) {
  return {
    cfn: namePermissions(new CloudFormationClient({ region })),
    lambda: namePermissions(new LambdaClient({ region })),
    // Buckets may be in other regions than the stack.
    s3: namePermissions(new S3Client({ region, followRegionRedirects: true })),
    sqs: namePermissions(new SQSClient({ region, maxAttempts: SQS_ATTEMPTS })),
    sts: namePermissions(new STSClient({ region })),
  }
}

export type Clients = ReturnType<typeof createClients>
