import { type Bytes, formDecode, isValidText, toText } from './bytes.ts'
import { authorize, type BucketCall, checkOwner, header, type Reply } from './call.ts'
import { type Algorithm, type Checksum, checksumElement, isAlgorithm } from './checksums.ts'
import { checkSourceConditions, checkWriteConditions } from './conditions.ts'
import { invalidArgument, S3Error } from './errors.ts'
import { checksumOfObject, encryptionHeaders, metadataOf, placementOf, taggingOf } from './headers.ts'
import { checkCustomerKey, isArchived, MAX_PUT_BYTES } from './objects.ts'
import { type Attributes, type Bucket, newObject, type StoredObject } from './store.ts'
import { element, xmlDocument } from './xml.ts'

type Source = { bucket: Bucket; key: Bytes; object: StoredObject }

/**
 * The object that x-amz-copy-source names: `bucket/key`, form-encoded (`+` is a space), with an optional
 * `?versionId=`. It may lie in any region. Checks rights, conditions and archive state.
 */
export function openSource(call: BucketCall): Source {
  const { store, request } = call
  const raw = header(request, 'x-amz-copy-source') ?? ''
  const [encodedPath = '', version] = raw.replace(/^\//, '').split('?versionId=')
  const path = formDecode(encodedPath)
  const slash = path?.indexOf('/') ?? -1
  if (path === undefined || slash <= 0 || slash === path.length - 1 || !isValidText(path)) {
    throw invalidArgument(
      'x-amz-copy-source',
      toText(raw),
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    )
  }
  const bucket = store.bucket(path.slice(0, slash))
  const key = path.slice(slash + 1)
  checkOwner(bucket, header(request, 'x-amz-source-expected-bucket-owner'))
  if (bucket.requesterPays && header(request, 'x-amz-request-payer') !== 'requester')
    throw new S3Error('AccessDenied')
  authorize(store, 's3:GetObject', bucket.name, key)
  if (version !== undefined && version !== 'null') throw new S3Error('NoSuchVersion')
  const object = bucket.objects.get(key)
  if (!object) {
    authorize(store, 's3:ListBucket', bucket.name)
    throw new S3Error('NoSuchKey', undefined, { elements: { Key: toText(key) } })
  }
  checkSourceConditions(call, object)
  checkCustomerKey(object, header(request, 'x-amz-copy-source-server-side-encryption-customer-key-md5'))
  if (isArchived(object)) {
    throw new S3Error('InvalidObjectState', "Operation is not valid for the source object's storage class", {
      elements: { StorageClass: object.storageClass },
    })
  }
  if (object.encryption.keyId !== undefined) authorize(store, 'kms:Decrypt', bucket.name, key)
  return { bucket, key, object }
}

export function tooLargeToCopy(): S3Error {
  return new S3Error(
    'InvalidRequest',
    `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
  )
}

export async function copyObject(call: BucketCall): Promise<Reply> {
  const { store, bucket, request } = call
  authorize(store, 's3:PutObject', bucket.name, request.key)
  const source = openSource(call)
  if (source.object.content.size > MAX_PUT_BYTES) throw tooLargeToCopy()
  const replaceMetadata = directive(call, 'metadata', 'REPLACE') === 'REPLACE'
  const replaceTags = directive(call, 'tagging', 'REPLACE') === 'REPLACE'
  const copyAnnotations = directive(call, 'object-annotation', 'EXCLUDE') === 'COPY'
  const placement = placementOf(call, bucket)
  const attributes: Partial<Attributes> = {
    ...placement,
    headers: replaceMetadata ? metadataOf(call) : source.object.headers,
    tags: replaceTags ? taggingOf(call) : source.object.tags,
    ...(copyAnnotations && { annotations: source.object.annotations }),
  }
  const inPlace = source.bucket === bucket && source.key === request.key
  if (inPlace && !replaceMetadata && !changes(call)) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  if (attributes.tags && attributes.tags.size > 0) {
    if (!replaceTags) authorize(store, 's3:GetObjectTagging', source.bucket.name, source.key)
    authorize(store, 's3:PutObjectTagging', bucket.name, request.key)
  }
  if (attributes.annotations && attributes.annotations.size > 0) {
    authorize(store, 's3:GetObjectAnnotation', source.bucket.name, source.key)
    authorize(store, 's3:PutObjectAnnotation', bucket.name, request.key)
  }
  if (placement.encryption?.keyId !== undefined)
    authorize(store, 'kms:GenerateDataKey', bucket.name, request.key)
  const checksum = await copiedChecksum(call, source.object)
  checkWriteConditions(call, bucket.objects.get(request.key))
  const object = newObject(bucket, source.object.content, { ...attributes, checksum })
  bucket.objects.set(request.key, object)
  return {
    headers: encryptionHeaders(object.encryption),
    body: xmlDocument(
      'CopyObjectResult',
      element('LastModified', new Date(object.lastModified).toISOString()) +
        element('ETag', `"${object.etag}"`) +
        element('ChecksumType', checksum.type) +
        element(checksumElement(checksum.algorithm), checksum.value),
    ),
  }
}

/** COPY is every directive's default. Throws InvalidArgument for a word that is neither. */
function directive(
  { request }: BucketCall,
  name: 'metadata' | 'tagging' | 'object-annotation',
  other: string,
): string {
  const value = header(request, `x-amz-${name}-directive`) ?? 'COPY'
  if (value !== 'COPY' && value !== other) {
    throw invalidArgument(`x-amz-${name}-directive`, value, `Unknown ${name} directive.`)
  }
  return value
}

/** Whether the request names something that makes a copy of an object onto itself a change. */
function changes({ request }: BucketCall): boolean {
  return Object.keys(request.headers).some(
    (name) =>
      name === 'x-amz-storage-class' ||
      name === 'x-amz-website-redirect-location' ||
      name.startsWith('x-amz-server-side-encryption'),
  )
}

/** The algorithm asked for, or the source's; always recomputed over the whole object, as a copy has no parts. */
async function copiedChecksum({ request }: BucketCall, source: StoredObject): Promise<Checksum> {
  const asked = header(request, 'x-amz-checksum-algorithm')
  const algorithm: Algorithm =
    asked !== undefined && isAlgorithm(asked) ? asked : (await checksumOfObject(source)).algorithm
  return { algorithm, type: 'FULL_OBJECT', value: await source.content.checksum(algorithm) }
}
