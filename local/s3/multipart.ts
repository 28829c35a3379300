import { createHash, randomBytes } from 'node:crypto'
import { toText } from './bytes.ts'
import { authorize, type BucketCall, header, type Reply } from './call.ts'
import {
  type Algorithm,
  type Checksum,
  type ChecksumType,
  checksumElement,
  checksumHeader,
  checksumOf,
  isAlgorithm,
} from './checksums.ts'
import { checkWriteConditions } from './conditions.ts'
import { Content } from './content.ts'
import { S3Error } from './errors.ts'
import { encryptionHeaders, metadataOf, placementOf, taggingOf } from './headers.ts'
import { newObject, type Part, type Upload } from './store.ts'
import { children, childText, element, type Parsed, parseXml, xmlDocument } from './xml.ts'

/** Limits of S3 (user guide, "multipart upload limits"): every part but the last has 5 MiB at least. */
export const MAX_PARTS = 10_000
const MIN_PART_BYTES = 5 * 1024 ** 2

/** Types that each algorithm can have in a multipart upload, the default first (user guide, "checking object integrity"). */
const TYPES: Record<Algorithm, readonly ChecksumType[]> = {
  CRC32: ['COMPOSITE', 'FULL_OBJECT'],
  CRC32C: ['COMPOSITE', 'FULL_OBJECT'],
  CRC64NVME: ['FULL_OBJECT'],
  SHA1: ['COMPOSITE'],
  SHA256: ['COMPOSITE'],
  SHA512: ['COMPOSITE'],
  MD5: ['COMPOSITE'],
}

export function createMultipartUpload(call: BucketCall): Reply {
  const { store, bucket, request } = call
  authorize(store, 's3:PutObject', bucket.name, request.key)
  const tags = taggingOf(call)
  if (tags.size > 0) authorize(store, 's3:PutObjectTagging', bucket.name, request.key)
  const placement = placementOf(call, bucket)
  if (placement.encryption?.keyId !== undefined) {
    authorize(store, 'kms:GenerateDataKey', bucket.name, request.key)
  }
  const checksum = askedChecksum(call)
  const upload: Upload = {
    id: randomBytes(48).toString('base64url'),
    key: request.key,
    initiated: Date.now(),
    attributes: { headers: metadataOf(call), tags, ...placement },
    ...(checksum && { checksum }),
    parts: new Map(),
  }
  bucket.uploads.set(upload.id, upload)
  return {
    headers: {
      ...encryptionHeaders(placement.encryption ?? bucket.encryption),
      ...(checksum && {
        'x-amz-checksum-algorithm': checksum.algorithm,
        'x-amz-checksum-type': checksum.type,
      }),
    },
    body: xmlDocument(
      'InitiateMultipartUploadResult',
      element('Bucket', bucket.name) + element('Key', toText(request.key)) + element('UploadId', upload.id),
    ),
  }
}

function askedChecksum({ request }: BucketCall): Upload['checksum'] {
  const algorithm = header(request, 'x-amz-checksum-algorithm')
  if (algorithm === undefined) return undefined
  if (!isAlgorithm(algorithm)) {
    throw new S3Error('InvalidRequest', 'Checksum algorithm provided is unsupported.')
  }
  const type = header(request, 'x-amz-checksum-type')
  const found = type === undefined ? TYPES[algorithm][0] : TYPES[algorithm].find((known) => known === type)
  if (!found) {
    throw new S3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    )
  }
  return { algorithm, type: found }
}

/** The upload that a request names. Throws NoSuchUpload, also when the key is another's. */
export function openUpload({ bucket, request }: BucketCall): Upload {
  const upload = bucket.uploads.get(request.query.get('uploadId') ?? '')
  if (upload?.key !== request.key) throw new S3Error('NoSuchUpload')
  return upload
}

export function abortMultipartUpload(call: BucketCall): Reply {
  const { store, bucket, request } = call
  authorize(store, 's3:AbortMultipartUpload', bucket.name, request.key)
  bucket.uploads.delete(openUpload(call).id)
  return { status: 204 }
}

/** Joins the listed parts into the object. Parts that the list leaves out are dropped. */
export async function completeMultipartUpload(call: BucketCall): Promise<Reply> {
  const { store, bucket, request, body } = call
  authorize(store, 's3:PutObject', bucket.name, request.key)
  const upload = openUpload(call)
  const parts = chosenParts(upload, parseXml(body.bytes, 'CompleteMultipartUpload'))
  const content = Content.concat(parts.map((part) => part.content))
  const size = header(request, 'x-amz-mp-object-size')
  if (size !== undefined && Number(size) !== content.size) {
    throw new S3Error(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${size} does not match what was computed: ${content.size}`,
    )
  }
  const checksum = await objectChecksum(upload, parts, content)
  const given = header(request, checksumHeader(checksum.algorithm))
  if (given !== undefined && given.replace(/-\d+$/, '') !== checksum.value.replace(/-\d+$/, '')) {
    throw new S3Error(
      'BadDigest',
      `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
    )
  }
  checkWriteConditions(call, bucket.objects.get(request.key))
  if (!bucket.uploads.delete(upload.id)) throw new S3Error('NoSuchUpload')
  const object = newObject(bucket, content, {
    ...upload.attributes,
    etag: multipartEtag(parts),
    checksum,
    partSizes: parts.map((part) => part.content.size),
  })
  bucket.objects.set(request.key, object)
  return {
    headers: encryptionHeaders(object.encryption),
    body: xmlDocument(
      'CompleteMultipartUploadResult',
      element(
        'Location',
        `http://${request.headers.host}/${bucket.name}/${encodeURIComponent(toText(request.key))}`,
      ) +
        element('Bucket', bucket.name) +
        element('Key', toText(request.key)) +
        element('ETag', `"${object.etag}"`) +
        element(checksumElement(checksum.algorithm), checksum.value) +
        element('ChecksumType', checksum.type),
    ),
  }
}

/** Throws MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall. */
function chosenParts(upload: Upload, root: Parsed): Part[] {
  const listed = children(root, 'Part')
  if (listed.length === 0 || listed.length > MAX_PARTS) throw new S3Error('MalformedXML')
  const numbers = listed.map((item) => Number(childText(item, 'PartNumber')))
  if (!numbers.every(Number.isInteger)) throw new S3Error('MalformedXML')
  if (numbers.some((number, index) => number <= (numbers[index - 1] ?? 0)))
    throw new S3Error('InvalidPartOrder')
  return listed.map((item, index) => {
    const number = numbers[index] as number
    const part = upload.parts.get(number)
    const etag = childText(item, 'ETag')?.replace(/^"|"$/g, '')
    const checksum = upload.checksum && childText(item, checksumElement(upload.checksum.algorithm))
    if (!part || etag !== part.etag || (checksum !== undefined && checksum !== part.checksum)) {
      throw new S3Error('InvalidPart', undefined, {
        elements: { UploadId: upload.id, PartNumber: number, ETag: etag ?? '' },
      })
    }
    if (index < listed.length - 1 && part.content.size < MIN_PART_BYTES) {
      throw new S3Error('EntityTooSmall', undefined, {
        elements: { ProposedSize: part.content.size, MinSizeAllowed: MIN_PART_BYTES, PartNumber: number },
      })
    }
    return part
  })
}

/** The MD5 of the parts' binary ETags, a hyphen and their number. */
function multipartEtag(parts: readonly Part[]): string {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part.etag, 'hex')
  return `${hash.digest('hex')}-${parts.length}`
}

async function objectChecksum(upload: Upload, parts: readonly Part[], content: Content): Promise<Checksum> {
  const { algorithm, type } = upload.checksum ?? { algorithm: 'CRC64NVME', type: 'FULL_OBJECT' }
  if (type === 'FULL_OBJECT') return { algorithm, type, value: await content.checksum(algorithm) }
  const values = parts.map((part) => Buffer.from(part.checksum ?? '', 'base64'))
  return { algorithm, type, value: `${await checksumOf(algorithm, values)}-${parts.length}` }
}
