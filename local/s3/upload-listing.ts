import { ownerId } from './buckets.ts'
import { type Bytes, formEncode, toText } from './bytes.ts'
import { authorize, type BucketCall, type Reply } from './call.ts'
import { invalidArgument } from './errors.ts'
import { openUpload } from './multipart.ts'
import { partChecksum } from './parts.ts'
import type { Part, Upload } from './store.ts'
import { element, xmlDocument } from './xml.ts'

const MAX_PAGE = 1000

export function listParts(call: BucketCall): Reply {
  const { store, bucket, request } = call
  authorize(store, 's3:ListMultipartUploadParts', bucket.name, request.key)
  const upload = openUpload(call)
  const limit = pageSize(request.query.get('max-parts'), 'max-parts')
  const marker = Number(request.query.get('part-number-marker') ?? 0)
  const after = [...upload.parts.values()]
    .filter((part) => part.number > marker)
    .sort((a, b) => a.number - b.number)
  const page = after.slice(0, limit)
  const owner = element('ID', ownerId(bucket.owner))
  return {
    body: xmlDocument(
      'ListPartsResult',
      element('Bucket', bucket.name) +
        element('Key', toText(request.key)) +
        element('UploadId', upload.id) +
        `<Initiator>${owner}</Initiator><Owner>${owner}</Owner>` +
        element('StorageClass', upload.attributes.storageClass) +
        element('PartNumberMarker', marker) +
        element('NextPartNumberMarker', page.at(-1)?.number ?? 0) +
        element('MaxParts', limit) +
        element('IsTruncated', after.length > page.length) +
        element('ChecksumAlgorithm', upload.checksum?.algorithm) +
        element('ChecksumType', upload.checksum?.type) +
        page.map((part) => partXml(upload, part)).join(''),
    ),
  }
}

function partXml(upload: Upload, part: Part): string {
  return `<Part>${
    element('PartNumber', part.number) +
    element('LastModified', new Date(part.lastModified).toISOString()) +
    element('ETag', `"${part.etag}"`) +
    element('Size', part.content.size) +
    partChecksum(upload, part)
  }</Part>`
}

/** Uploads in order of their keys, then of their beginning; no delimiter. */
export function listMultipartUploads({ store, bucket, request }: BucketCall): Reply {
  authorize(store, 's3:ListBucketMultipartUploads', bucket.name)
  const { query } = request
  const prefix = query.get('prefix') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('upload-id-marker') ?? ''
  const limit = pageSize(query.get('max-uploads'), 'max-uploads')
  const encoding = query.get('encoding-type')
  const show = encoding === 'url' ? formEncode : toText
  const all = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix))
    .sort((a, b) => compare(a.key, b.key) || a.initiated - b.initiated || compare(a.id, b.id))
  const marked = all.findIndex((upload) => upload.key === keyMarker && upload.id === idMarker)
  const rest =
    marked >= 0 ? all.slice(marked + 1) : all.filter((upload) => keyMarker === '' || upload.key > keyMarker)
  const page = rest.slice(0, limit)
  const truncated = rest.length > page.length
  const last = truncated ? page.at(-1) : undefined
  return {
    body: xmlDocument(
      'ListMultipartUploadsResult',
      element('Bucket', bucket.name) +
        element('KeyMarker', show(keyMarker)) +
        element('UploadIdMarker', idMarker) +
        element('NextKeyMarker', last && show(last.key)) +
        element('NextUploadIdMarker', last?.id) +
        element('Prefix', show(prefix)) +
        element('MaxUploads', limit) +
        element('EncodingType', encoding) +
        element('IsTruncated', truncated) +
        page.map((upload) => uploadXml(upload, show(upload.key), bucket.owner)).join(''),
    ),
  }
}

function uploadXml(upload: Upload, key: string, account: string): string {
  const owner = element('ID', ownerId(account))
  return `<Upload>${
    element('UploadId', upload.id) +
    element('Key', key) +
    element('Initiated', new Date(upload.initiated).toISOString()) +
    `<StorageClass>${upload.attributes.storageClass}</StorageClass>` +
    `<Owner>${owner}</Owner><Initiator>${owner}</Initiator>` +
    element('ChecksumAlgorithm', upload.checksum?.algorithm) +
    element('ChecksumType', upload.checksum?.type)
  }</Upload>`
}

function compare(a: Bytes, b: Bytes): number {
  return a < b ? -1 : a === b ? 0 : 1
}

function pageSize(text: string | undefined, name: string): number {
  if (text === undefined) return MAX_PAGE
  if (!/^\d{1,10}$/.test(text))
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`)
  return Math.min(Number(text), MAX_PAGE)
}
