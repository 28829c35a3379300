import { encodePath } from './encode.ts'

/** Where a request goes. */
type Address = {
  origin: string
  /** Percent-encoded, from the first slash up to the query. */
  path: string
}

/** A name that is one label of a host name: other buckets don't fit the certificate of `*.s3.<region>` or DNS. */
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/

/** DNS suffixes by the beginning of the region's name (AWS's partitions); all others have amazonaws.com. */
const DNS_SUFFIXES: readonly [string, string][] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
]

/** A key that S3 serves to path-style requests only (S3 user guide, "Naming Amazon S3 objects"). */
const RESERVED_KEY = 'soap'

/**
 * The address of a bucket or of an object in it. The bucket's name goes into the host, but into the path where an
 * endpoint is given (those of S3-compatible servers rarely have names for buckets), the name does not fit a host, or
 * the key wants it so.
 */
export function addressOf(target: {
  bucket: string
  key?: string | undefined
  region: string
  endpoint?: string | undefined
}): Address {
  const { bucket, key = '', region, endpoint } = target
  const path = `/${encodePath(key)}`
  if (endpoint === undefined && HOST_LABEL.test(bucket) && key !== RESERVED_KEY)
    return { origin: `https://${bucket}.${regionalHost(region)}`, path }
  // A bucket by itself has no slash behind it in this style.
  const whole = key === '' ? `/${encodePath(bucket)}` : `/${encodePath(bucket)}${path}`
  return { origin: endpoint ?? `https://${regionalHost(region)}`, path: whole }
}

/** The origin of an endpoint's URL. Throws when it is none, or has a path, which no request could keep. */
export function parseEndpoint(text: string): string {
  if (!URL.canParse(text)) throw new Error(`the endpoint ${JSON.stringify(text)} is not a URL`)
  const { protocol, origin, pathname, search } = new URL(text)
  if (!/^https?:$/.test(protocol) || pathname !== '/' || search !== '')
    throw new Error(`the endpoint ${text} must be http:// or https://, a host and a port, without a path`)
  return origin
}

function regionalHost(region: string): string {
  const [, suffix] = DNS_SUFFIXES.find(([start]) => region.startsWith(start)) ?? ['', 'amazonaws.com']
  return `s3.${region}.${suffix}`
}
