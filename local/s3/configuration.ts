import { authorize, type BucketCall, type Reply } from './call.ts'
import { S3Error } from './errors.ts'
import { parseXml } from './xml.ts'

/** The settings of a bucket that are kept as they came and have no effect here. */
const SETTINGS = {
  publicAccessBlock: {
    root: 'PublicAccessBlockConfiguration',
    action: 's3:PutBucketPublicAccessBlock',
    missing: 'NoSuchPublicAccessBlockConfiguration',
  },
  lifecycle: {
    root: 'LifecycleConfiguration',
    action: 's3:PutLifecycleConfiguration',
    missing: 'NoSuchLifecycleConfiguration',
  },
} as const

/** The query parameter that names a setting, such as `lifecycle`. */
type Setting = keyof typeof SETTINGS

export function settingOf(query: { has: (name: string) => boolean }): Setting | undefined {
  return (Object.keys(SETTINGS) as Setting[]).find((name) => query.has(name))
}

/** Throws MalformedXML, AccessDenied. */
export function putSetting({ store, bucket, request, body }: BucketCall): Reply {
  const setting = settingOf(request.query) as Setting
  const { root, action } = SETTINGS[setting]
  authorize(store, action, bucket.name)
  parseXml(body.bytes, root)
  bucket.settings.set(setting, body.bytes.toString('utf8'))
  return {}
}

/** Throws the error by which S3 says that the setting was never made. */
export function getSetting({ bucket, request }: BucketCall): Reply {
  const setting = settingOf(request.query) as Setting
  const document = bucket.settings.get(setting)
  if (document === undefined) throw new S3Error(SETTINGS[setting].missing)
  return { body: document }
}
