import type { OutgoingHttpHeaders } from 'node:http'
import { arn } from '../identity.ts'
import type { Body } from './body.ts'
import { toText } from './bytes.ts'
import type { Content } from './content.ts'
import { S3Error } from './errors.ts'
import type { S3Request } from './request.ts'
import type { Bucket, Store } from './store.ts'

/** What an operation works with. */
export type Call = { store: Store; request: S3Request; body: Body }

/** A call on a bucket that exists, lies in the request's region and belongs to whom the caller expects. */
export type BucketCall = Call & { bucket: Bucket }

export type Reply = { status?: number; headers?: OutgoingHttpHeaders; body?: string | Content }

/** A header that came once, or undefined. */
export function header(request: S3Request, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/**
 * Finds the request's bucket. A request signed for another region than the bucket's gets 301 PermanentRedirect, as a
 * regional endpoint answers it. Throws NoSuchBucket, PermanentRedirect, AuthorizationHeaderMalformed, AccessDenied.
 */
export function openBucket(call: Call): BucketCall {
  const { store, request } = call
  const bucket = store.bucket(request.bucket)
  const { region, hostRegion } = request
  const headers = { 'x-amz-bucket-region': bucket.region }
  if (region !== undefined && hostRegion !== undefined && region !== hostRegion) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${hostRegion}'`,
      { elements: { Region: hostRegion }, headers },
    )
  }
  if ((hostRegion ?? region ?? bucket.region) !== bucket.region) {
    throw new S3Error('PermanentRedirect', undefined, {
      elements: { Bucket: bucket.name, Endpoint: `s3.${bucket.region}.amazonaws.com` },
      headers,
    })
  }
  checkOwner(bucket, header(request, 'x-amz-expected-bucket-owner'))
  if (bucket.requesterPays && header(request, 'x-amz-request-payer') !== 'requester') {
    throw new S3Error('AccessDenied', undefined, { headers })
  }
  return { ...call, bucket }
}

export function checkOwner(bucket: Bucket, expected: string | undefined): void {
  if (expected !== undefined && expected !== bucket.owner) {
    throw new S3Error('AccessDenied', undefined, { headers: { 'x-amz-bucket-region': bucket.region } })
  }
}

/** Whether no denial of the store forbids it. */
export function isAllowed(store: Store, action: string, bucket: string, key = ''): boolean {
  if (store.denials.length === 0) return true
  const text = toText(key)
  return !store.denials.some(
    (denial) =>
      denial.action === action &&
      (denial.bucket === undefined || denial.bucket === bucket) &&
      (denial.key === undefined || denial.key === text),
  )
}

/** Throws AccessDenied in IAM's words when the action is denied. */
export function authorize(store: Store, action: string, bucket: string, key = ''): void {
  if (isAllowed(store, action, bucket, key)) return
  const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${toText(key)}`}`
  throw new S3Error(
    'AccessDenied',
    `User: ${arn('iam', '', 'user/local')} is not authorized to perform: ${action} on resource: "${resource}" because no identity-based policy allows the ${action} action`,
  )
}
