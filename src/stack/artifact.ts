import { setTimeout as delay } from 'node:timers/promises'
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
  waitUntilBucketExists,
} from '@aws-sdk/client-s3'
import { UserError } from '../errors.ts'
import { bucketStatus } from './bucket-status.ts'

/** Regions in which an account has no namespace of its own for buckets (S3 user guide, bucket namespaces). */
const WITHOUT_NAMESPACE = ['me-south-1', 'me-central-1']
/** SQS keeps no message longer (SQS quotas): the checkpoint of a run that is older is of no use. */
const KEEP_RUN_DAYS = 14
const CHANGE_TRIES = 10
const AGAIN_MS = 1_000

export type Home = { accountId: string; region: string }

/**
 * The bucket that the action keeps its code and its checkpoints in. Names that end like this belong to the account (account-regional
 * namespace), so nobody else can take them first; where regions lack that, the owner is checked on each call.
 */
export function artifactBucketName({ accountId, region }: Home): string {
  return WITHOUT_NAMESPACE.includes(region)
    ? `s3-71-${accountId}-${region}`
    : `s3-71-${accountId}-${region}-an`
}

/**
 * Puts the code under its hash into the artifact bucket, and makes that bucket when it is the action's own and missing.
 *
 * @param given a bucket of the user's, in the stack's account and region, which is used as it is
 * @throws UserError when the bucket can't be used
 */
export async function uploadCode(
  s3: S3Client,
  { code, codeHash }: { code: Buffer; codeHash: string },
  home: Home,
  given?: string | undefined,
): Promise<{ bucket: string; key: string }> {
  const bucket = given ?? (await ensureBucket(s3, home))
  const key = `functions/${codeHash}.zip`
  try {
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: code,
        ContentType: 'application/zip',
        ChecksumSHA256: Buffer.from(codeHash, 'hex').toString('base64'),
        // Also of one that was given: when that is deleted, anybody may take its name.
        ExpectedBucketOwner: home.accountId,
      }),
    )
  } catch (error) {
    const { name } = error as Error
    if (name === 'NoSuchBucket')
      throw new UserError(`artifact-bucket: the bucket ${bucket} does not exist`, { cause: error })
    if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed')
      throw new UserError(
        `artifact-bucket: the bucket ${bucket} is not in ${home.region}, the stack’s region. Lambda takes code only from its own region.`,
        { cause: error },
      )
    throw error
  }
  return { bucket, key }
}

/**
 * Makes the action's own bucket when it is missing, or gets done with it where a step was cut off while it made it. Returns its
 * name.
 */
export async function ensureBucket(s3: S3Client, home: Home): Promise<string> {
  const bucket = artifactBucketName(home)
  const owner = { ExpectedBucketOwner: home.accountId }
  if (!(await exists(s3, bucket, owner))) {
    await create(s3, bucket, home)
    await waitUntilBucketExists({ client: s3, maxWaitTime: 60 }, { Bucket: bucket, ...owner })
  } else if (!(await isEmpty(s3, bucket, owner))) return bucket
  const access = new PutPublicAccessBlockCommand({
    Bucket: bucket,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    },
    ...owner,
  })
  await untilCarriedOut(() => s3.send(access))
  const lifecycle = new PutBucketLifecycleConfigurationCommand({
    Bucket: bucket,
    LifecycleConfiguration: {
      // Code stays: CloudFormation reads it again when an update fails and it rolls back, however old that code is, and
      // without it a stack ends in UPDATE_ROLLBACK_FAILED.
      Rules: [
        {
          ID: 'old-runs',
          Status: 'Enabled',
          Filter: { Prefix: 'runs/' },
          Expiration: { Days: KEEP_RUN_DAYS },
        },
      ],
    },
    ...owner,
  })
  await untilCarriedOut(() => s3.send(lifecycle))
  return bucket
}

/** Of changes of one bucket S3 carries out one at a time, and refuses others meanwhile: those of a step that makes it too. */
async function untilCarriedOut(change: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await change()
      return
    } catch (error) {
      if ((error as Error).name !== 'OperationAborted' || tries === CHANGE_TRIES) throw error
      await delay(AGAIN_MS)
    }
  }
}

type Owner = { ExpectedBucketOwner: string }

/** Nothing is put into a bucket that is not done; one that somebody has emptied is as good as new. */
async function isEmpty(s3: S3Client, bucket: string, owner: Owner): Promise<boolean> {
  const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1, ...owner }))
  return KeyCount === 0
}

async function exists(s3: S3Client, bucket: string, owner: Owner): Promise<boolean> {
  const status = await bucketStatus(s3, { Bucket: bucket, ...owner })
  if (status === 403)
    throw new UserError(
      `The bucket ${bucket} for the functions’ code belongs to another account, or the workflow’s role lacks s3:ListBucket on it. Name a bucket of your own in \`artifact-bucket\`.`,
    )
  return status !== 404
}

/** New buckets are encrypted (SSE-S3) and have no ACLs (S3 user guide, since 2023); nothing has to be asked for. */
async function create(s3: S3Client, bucket: string, { region }: Home): Promise<void> {
  try {
    await s3.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ...(!WITHOUT_NAMESPACE.includes(region) && { BucketNamespace: 'account-regional' }),
        // The region of S3's first endpoint is the one that can't be named.
        ...(region !== 'us-east-1' && {
          CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' },
        }),
      }),
    )
  } catch (error) {
    const { name } = error as Error
    // Another workflow was a moment faster.
    if (name === 'BucketAlreadyOwnedByYou' || name === 'OperationAborted') return
    throw error
  }
}
