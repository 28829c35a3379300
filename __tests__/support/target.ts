import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { S3Client } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { type Aws, startAws } from '../../local/index.ts'

/** An AWS that tests know by its API only. */
export type Target = {
  region: string
  /** Environment with which the action finds it. */
  env: Record<string, string>
  s3: S3Client
  cloudFormation: CloudFormationClient
  stop(): Promise<void>
}

/**
 * The embedded AWS; or the one that AWS_ENDPOINT_URL names; or AWS itself, where AWS_TEST_ACCOUNT names the account that
 * may be used for it, which has to be the one of the credentials. Throws when it is not, or when AWS_REGION is missing.
 */
export async function startTarget(): Promise<Target> {
  const { AWS_TEST_ACCOUNT: account, AWS_REGION: region } = process.env
  const endpoint = process.env.AWS_ENDPOINT_URL || undefined
  if (endpoint === undefined && account === undefined) {
    const aws = await startAws()
    const { url, credentials, env } = aws
    const clients = connect({ region: aws.region, endpoint: url, credentials })
    return { env, ...clients, stop: () => aws.stop() }
  }
  if (!region) throw new Error('AWS_REGION has to name the region to test in')
  if (endpoint === undefined) await expectAccount(account)
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name === 'HOME' || name.startsWith('AWS_')),
  ) as Record<string, string>
  return { env, ...connect({ region, ...(endpoint !== undefined && { endpoint }) }), stop: async () => {} }
}

function connect(config: { region: string; endpoint?: string; credentials?: Aws['credentials'] }) {
  return {
    region: config.region,
    s3: new S3Client({ ...config, forcePathStyle: config.endpoint !== undefined }),
    cloudFormation: new CloudFormationClient(config),
  }
}

/** What a test makes costs money: not in an account that happens to be the shell's. */
async function expectAccount(account: string | undefined): Promise<void> {
  const { Account } = await new STSClient().send(new GetCallerIdentityCommand())
  if (Account !== account)
    throw new Error(`the credentials are those of account ${Account}, AWS_TEST_ACCOUNT is ${account}`)
}
