import { toText } from './bytes.ts'
import { authorize, type BucketCall, type Reply } from './call.ts'
import { S3Error } from './errors.ts'
import { existingObject } from './objects.ts'
import { element, xmlDocument } from './xml.ts'

/** Limits of S3 (user guide, "Annotations"): so many for an object, bytes of a name and of a payload. */
const MOST = 1000
const NAME_BYTES = 512
const PAYLOAD_BYTES = 1024 ** 2

export function listAnnotations(call: BucketCall): Reply {
  const { store, bucket, request } = call
  authorize(store, 's3:ListObjectAnnotations', bucket.name, request.key)
  const { annotations, lastModified } = existingObject(call)
  const prefix = request.query.get('annotation-prefix') ?? ''
  const entries = [...annotations]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, payload]) => {
      const size = element('Size', Buffer.byteLength(payload))
      return `<AnnotationEntry>${element('AnnotationName', name)}${element('LastModified', new Date(lastModified).toISOString())}${size}</AnnotationEntry>`
    })
  const body = `<Annotations>${entries.join('')}</Annotations>${element('AnnotationCount', entries.length)}`
  return { body: xmlDocument('ListObjectAnnotationsOutput', element('Key', toText(request.key)) + body) }
}

export function getAnnotation(call: BucketCall): Reply {
  const { store, bucket, request } = call
  authorize(store, 's3:GetObjectAnnotation', bucket.name, request.key)
  const payload = existingObject(call).annotations.get(nameIn(call))
  if (payload === undefined) throw new S3Error('NoSuchAnnotation')
  return { body: payload }
}

export function putAnnotation(call: BucketCall): Reply {
  const { store, bucket, request, body } = call
  authorize(store, 's3:PutObjectAnnotation', bucket.name, request.key)
  const name = nameIn(call)
  const object = existingObject(call)
  const payload = body.bytes.toString('utf8')
  if (body.bytes.length === 0 || body.bytes.length > PAYLOAD_BYTES)
    throw new S3Error('InvalidRequest', 'An annotation has 1 byte to 1 MiB.')
  const annotations = new Map(object.annotations).set(name, payload)
  if (annotations.size > MOST) throw new S3Error('InvalidRequest', 'An object has 1,000 annotations at most.')
  bucket.objects.set(request.key, { ...object, annotations })
  return {}
}

function nameIn({ request }: BucketCall): string {
  const name = request.query.get('annotationName') ?? ''
  if (name === '' || Buffer.byteLength(name) > NAME_BYTES)
    throw new S3Error('InvalidRequest', 'The annotation name you provided is invalid')
  return toText(name)
}
