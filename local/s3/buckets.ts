import { createHash } from 'node:crypto'
import { ACCOUNT_ID } from '../identity.ts'
import { authorize, type BucketCall, type Call, header, type Reply } from './call.ts'
import { S3Error } from './errors.ts'
import { DEFAULT_REGION } from './store.ts'
import { childText, element, parseXml, xmlDocument } from './xml.ts'

/** An account's canonical user id. */
export function ownerId(account: string): string {
  return createHash('sha256').update(account).digest('hex')
}

/** Throws InvalidBucketName, BucketAlreadyOwnedByYou, BucketAlreadyExists, IllegalLocationConstraintException. */
export function createBucket({ store, request, body }: Call): Reply {
  const { bucket: name } = request
  if (!/^(?=.{3,63}$)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(name)) {
    throw new S3Error('InvalidBucketName', undefined, { elements: { BucketName: name } })
  }
  const endpoint = request.hostRegion ?? request.region ?? DEFAULT_REGION
  const asked =
    body.bytes.length === 0
      ? undefined
      : childText(parseXml(body.bytes, 'CreateBucketConfiguration'), 'LocationConstraint')
  const region = asked === 'EU' ? 'eu-west-1' : (asked ?? DEFAULT_REGION)
  // Only us-east-1's endpoint makes buckets elsewhere.
  if (endpoint !== DEFAULT_REGION && endpoint !== region) {
    throw new S3Error(
      'IllegalLocationConstraintException',
      `The ${asked ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    )
  }
  const existing = store.buckets.get(name)
  if (existing) {
    if (existing.owner !== ACCOUNT_ID) throw new S3Error('BucketAlreadyExists')
    if (existing.region !== DEFAULT_REGION || region !== DEFAULT_REGION)
      throw new S3Error('BucketAlreadyOwnedByYou')
    return { headers: { location: `/${name}` } }
  }
  store.createBucket(name, {
    region,
    ownership: header(request, 'x-amz-object-ownership') ?? 'BucketOwnerEnforced',
  })
  return { headers: { location: `/${name}` } }
}

export function deleteBucket({ store, bucket }: BucketCall): Reply {
  authorize(store, 's3:DeleteBucket', bucket.name)
  if (bucket.objects.size > 0) throw new S3Error('BucketNotEmpty')
  store.buckets.delete(bucket.name)
  return { status: 204 }
}

export function headBucket({ store, bucket }: BucketCall): Reply {
  const headers = { 'x-amz-bucket-region': bucket.region }
  try {
    authorize(store, 's3:ListBucket', bucket.name)
  } catch (error) {
    throw error instanceof S3Error ? new S3Error(error.code, error.message, { headers }) : error
  }
  return { headers }
}

export function getBucketLocation({ bucket }: BucketCall): Reply {
  const region = bucket.region === DEFAULT_REGION ? '' : bucket.region
  return { body: xmlDocument('LocationConstraint', region) }
}

export function listBuckets({ store }: Call): Reply {
  const buckets = [...store.buckets.values()]
    .filter((bucket) => bucket.owner === ACCOUNT_ID)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, created, region }) =>
        `<Bucket>${element('Name', name)}${element('CreationDate', new Date(created).toISOString())}${element('BucketRegion', region)}</Bucket>`,
    )
  const owner = `<Owner>${element('ID', ownerId(ACCOUNT_ID))}</Owner>`
  return { body: xmlDocument('ListAllMyBucketsResult', `${owner}<Buckets>${buckets.join('')}</Buckets>`) }
}
