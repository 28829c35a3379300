import { receivedContent } from './body.ts'
import { authorize, type BucketCall, type Reply } from './call.ts'
import { S3Error } from './errors.ts'
import { checkedTags } from './headers.ts'
import { existingObject } from './objects.ts'
import { children, childText, element, parseXml, xmlDocument } from './xml.ts'

export function getObjectTagging(call: BucketCall): Reply {
  const { store, bucket, request } = call
  authorize(store, 's3:GetObjectTagging', bucket.name, request.key)
  const tags = [...existingObject(call).tags].map(
    ([name, value]) => `<Tag>${element('Key', name)}${element('Value', value)}</Tag>`,
  )
  return {
    body: xmlDocument('Tagging', tags.length === 0 ? '<TagSet/>' : `<TagSet>${tags.join('')}</TagSet>`),
  }
}

/** Unlike an object, tags are not taken without a digest of the body (API model: a checksum is required). */
export async function putObjectTagging(call: BucketCall): Promise<Reply> {
  const { store, bucket, request, body } = call
  authorize(store, 's3:PutObjectTagging', bucket.name, request.key)
  const { checksum } = await receivedContent(request.headers, body)
  if (!checksum && request.headers['content-md5'] === undefined)
    throw new S3Error(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    )
  const object = existingObject(call)
  const set = children(parseXml(body.bytes, 'Tagging'), 'TagSet')[0] ?? ''
  const pairs = children(set, 'Tag').map((tag): [string, string] => {
    const name = childText(tag, 'Key')
    if (name === undefined) throw new S3Error('MalformedXML')
    return [name, childText(tag, 'Value') ?? '']
  })
  const tags = checkedTags(
    pairs,
    () => new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key'),
  )
  bucket.objects.set(request.key, { ...object, tags })
  return {}
}

export function deleteObjectTagging(call: BucketCall): Reply {
  const { store, bucket, request } = call
  authorize(store, 's3:DeleteObjectTagging', bucket.name, request.key)
  bucket.objects.set(request.key, { ...existingObject(call), tags: new Map() })
  return { status: 204 }
}
