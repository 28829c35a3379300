import type { Options, Run } from '../../protocol/run.ts'
import type { NamedHeaders } from '../s3/index.ts'

type Guards = Pick<NamedHeaders, 'requestPayer' | 'expectedBucketOwner'>

/** Who pays for what is read, and who the source bucket has to belong to. */
export function sourceGuards({ requestPayer, sourceOwner }: Options): Guards {
  return {
    ...(requestPayer && { requestPayer }),
    ...(sourceOwner !== undefined && { expectedBucketOwner: sourceOwner }),
  }
}

/** The same for requests to the destination that read nothing from the source. */
export function destinationGuards({ requestPayer, destinationOwner }: Options): Guards {
  return {
    ...(requestPayer && { requestPayer }),
    ...(destinationOwner !== undefined && { expectedBucketOwner: destinationOwner }),
  }
}

/** The same for requests to the destination that name a source. */
export function copyGuards(options: Options): Guards & Pick<NamedHeaders, 'expectedSourceBucketOwner'> {
  const { sourceOwner } = options
  return {
    ...destinationGuards(options),
    ...(sourceOwner !== undefined && { expectedSourceBucketOwner: sourceOwner }),
  }
}

/** What a run gives all of its copies, whichever way they are made. */
export function placement({
  options: { sse, sseKmsKey, acl } = {},
}: Pick<Run, 'options'>): Pick<
  NamedHeaders,
  'serverSideEncryption' | 'sseKmsKeyId' | 'bucketKeyEnabled' | 'acl'
> {
  return {
    ...(sse && { serverSideEncryption: sse }),
    ...(sse?.startsWith('aws:kms') && sseKmsKey !== undefined && { sseKmsKeyId: sseKmsKey }),
    // One request to KMS for many objects; not to be had for two layers of encryption (S3 user guide, "S3 Bucket Keys").
    ...(sse === 'aws:kms' && { bucketKeyEnabled: 'true' }),
    ...(acl !== undefined && { acl }),
  }
}

/** The class of a copy, as a header has it: nothing for STANDARD, unless the run says so. */
export function storageClassOf(
  listed: string | undefined,
  { storageClass }: Options,
): Pick<NamedHeaders, 'storageClass'> {
  const wanted = storageClass ?? listed
  return wanted === undefined ? {} : { storageClass: wanted }
}

/** Whether a copy ends up in another class than its source. */
export function isReclassed(listed: string | undefined, { storageClass }: Options): boolean {
  return storageClass !== undefined && storageClass !== (listed ?? 'STANDARD')
}
