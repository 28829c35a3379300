import { getAnnotation, listAnnotations, putAnnotation } from './annotations.ts'
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets.ts'
import { type BucketCall, type Call, openBucket, type Reply } from './call.ts'
import { getSetting, putSetting, settingOf } from './configuration.ts'
import { copyObject } from './copy.ts'
import { S3Error } from './errors.ts'
import { listObjectsV2 } from './listing.ts'
import { abortMultipartUpload, completeMultipartUpload, createMultipartUpload } from './multipart.ts'
import { deleteObject, deleteObjects, getObject, headObject, putObject } from './objects.ts'
import { uploadPart, uploadPartCopy } from './parts.ts'
import type { S3Request } from './request.ts'
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './tagging.ts'
import { listMultipartUploads, listParts } from './upload-listing.ts'

type Operation = (call: Call) => Reply | Promise<Reply>

const onBucket =
  (operation: (call: BucketCall) => Reply | Promise<Reply>): Operation =>
  (call) =>
    operation(openBucket(call))

const OPERATIONS = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  DeleteBucket: onBucket(deleteBucket),
  HeadBucket: onBucket(headBucket),
  GetBucketLocation: onBucket(getBucketLocation),
  PutBucketSetting: onBucket(putSetting),
  GetBucketSetting: onBucket(getSetting),
  ListObjectsV2: onBucket(listObjectsV2),
  ListMultipartUploads: onBucket(listMultipartUploads),
  DeleteObjects: onBucket(deleteObjects),
  PutObject: onBucket(putObject),
  GetObject: onBucket(getObject),
  HeadObject: onBucket(headObject),
  DeleteObject: onBucket(deleteObject),
  CopyObject: onBucket(copyObject),
  GetObjectTagging: onBucket(getObjectTagging),
  PutObjectTagging: onBucket(putObjectTagging),
  DeleteObjectTagging: onBucket(deleteObjectTagging),
  ListObjectAnnotations: onBucket(listAnnotations),
  GetObjectAnnotation: onBucket(getAnnotation),
  PutObjectAnnotation: onBucket(putAnnotation),
  CreateMultipartUpload: onBucket(createMultipartUpload),
  UploadPart: onBucket(uploadPart),
  UploadPartCopy: onBucket(uploadPartCopy),
  ListParts: onBucket(listParts),
  CompleteMultipartUpload: onBucket(completeMultipartUpload),
  AbortMultipartUpload: onBucket(abortMultipartUpload),
} satisfies Record<string, Operation>

export type OperationName = keyof typeof OPERATIONS

/** Query parameters that choose another operation of S3, none of which is here. */
const SUBRESOURCES = [
  'acl',
  'attributes',
  'cors',
  'encryption',
  'legal-hold',
  'object-lock',
  'ownershipControls',
  'policy',
  'replication',
  'restore',
  'retention',
  'select',
  'session',
  'torrent',
  'versioning',
  'versions',
  'website',
]

/** Which operation a request is. Throws NotImplemented, MethodNotAllowed. */
export function operationOf({ method, bucket, key, query, headers }: S3Request): OperationName {
  const unknown = SUBRESOURCES.find((name) => query.has(name))
  if (unknown !== undefined) throw new S3Error('NotImplemented', `The local S3 does not have ?${unknown}`)
  const name =
    bucket === ''
      ? serviceOperation(method)
      : key === ''
        ? bucketOperation(method, query)
        : objectOperation(method, query, headers['x-amz-copy-source'] !== undefined)
  if (!name) throw new S3Error('MethodNotAllowed')
  return name
}

function serviceOperation(method: string): OperationName | undefined {
  return method === 'GET' ? 'ListBuckets' : undefined
}

function bucketOperation(method: string, query: S3Request['query']): OperationName | undefined {
  if (settingOf(query))
    return method === 'PUT' ? 'PutBucketSetting' : method === 'GET' ? 'GetBucketSetting' : undefined
  if (method === 'PUT') return query.has('tagging') ? undefined : 'CreateBucket'
  if (method === 'DELETE') return 'DeleteBucket'
  if (method === 'HEAD') return 'HeadBucket'
  if (method === 'POST') return query.has('delete') ? 'DeleteObjects' : undefined
  if (method !== 'GET') return undefined
  if (query.has('location')) return 'GetBucketLocation'
  if (query.has('uploads')) return 'ListMultipartUploads'
  if (query.get('list-type') === '2') return 'ListObjectsV2'
  throw new S3Error('NotImplemented', 'The local S3 lists with ListObjectsV2 only')
}

function objectOperation(
  method: string,
  query: S3Request['query'],
  isCopy: boolean,
): OperationName | undefined {
  const tagging = query.has('tagging')
  if (query.has('annotation')) return annotationOperation(method, query)
  const upload = query.has('uploadId')
  if (method === 'GET') return tagging ? 'GetObjectTagging' : upload ? 'ListParts' : 'GetObject'
  if (method === 'HEAD') return 'HeadObject'
  if (method === 'DELETE')
    return tagging ? 'DeleteObjectTagging' : upload ? 'AbortMultipartUpload' : 'DeleteObject'
  if (method === 'POST')
    return query.has('uploads') ? 'CreateMultipartUpload' : upload ? 'CompleteMultipartUpload' : undefined
  if (method !== 'PUT') return undefined
  if (tagging) return 'PutObjectTagging'
  if (upload) return isCopy ? 'UploadPartCopy' : 'UploadPart'
  return isCopy ? 'CopyObject' : 'PutObject'
}

function annotationOperation(method: string, query: S3Request['query']): OperationName | undefined {
  const named = query.has('annotationName')
  if (method === 'GET') return named ? 'GetObjectAnnotation' : 'ListObjectAnnotations'
  return method === 'PUT' && named ? 'PutObjectAnnotation' : undefined
}

export function perform(name: OperationName, call: Call): Reply | Promise<Reply> {
  return OPERATIONS[name](call)
}
