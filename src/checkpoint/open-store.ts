import type { S3Client } from '@aws-sdk/client-s3'
import { UserError } from '../errors.ts'
import { artifactBucketName, ensureBucket, type Home } from '../stack/artifact.ts'
import type { Log } from '../stack/tools.ts'
import { type Bucket, CheckpointStore } from './store.ts'

/** What S3 says of a bucket that is not there, or not for this role. */
const CLOSED = ['NoSuchBucket', 'AccessDenied', 'Forbidden']

/**
 * Opens the folder of a run in the artifact bucket. With `deploy: auto` the action's own bucket is made when it is missing.
 * With `never` nothing is made: without a bucket that may be used there are no checkpoints, and undefined is returned.
 *
 * @param given a bucket of the user's
 * @throws UserError when a bucket that was given is not there
 */
export async function openStore(
  s3: S3Client,
  folder: string,
  home: Home,
  { given, deploy, log }: { given: string | undefined; deploy: 'auto' | 'never'; log: Log },
): Promise<CheckpointStore | undefined> {
  const bucket: Bucket = { name: given ?? artifactBucketName(home), owner: home.accountId }
  const store = new CheckpointStore(s3, bucket, folder)
  try {
    await store.read()
  } catch (error) {
    const { name } = error as Error
    if (!CLOSED.includes(name)) throw error
    if (given !== undefined && name === 'NoSuchBucket')
      throw new UserError(`artifact-bucket: the bucket ${given} does not exist`, { cause: error })
    if (given === undefined && deploy === 'never') {
      log.info(
        `No checkpoints are kept, so no step can attach to this run: S3 answered ${name} for the bucket ${bucket.name}. To have checkpoints, name a bucket in \`artifact-bucket\`.`,
      )
      return undefined
    }
    if (name !== 'NoSuchBucket') throw error
    await ensureBucket(s3, home)
  }
  return store
}
