import { KEY_BYTES, utf8Length } from '../protocol/key.ts'
import type { Place } from '../protocol/run.ts'
import { printable } from './text.ts'

export const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const IP_ADDRESS = /^\d+\.\d+\.\d+\.\d+$/

/**
 * Reads `s3://bucket/prefix`. The bucket's name follows S3's rules for general purpose buckets (S3 user guide, bucket
 * naming rules). Throws an error that begins with the input's name.
 */
export function parseLocation(input: string, text: string): Place {
  const shown = printable(text)
  const match = /^s3:\/\/([^/]*)(?:\/(.*))?$/s.exec(text)
  if (!match) throw new Error(`${input}: "${shown}" must be s3://bucket or s3://bucket/prefix`)
  const [, bucket = '', prefix = ''] = match
  if (/--xa?-s3$/.test(bucket))
    throw new Error(
      `${input}: "${shown}" is a directory bucket (S3 Express One Zone) or an access point of one. These are not supported, because they don’t list keys in order`,
    )
  if (/-s3alias$|--ol-s3$|\.mrap$/.test(bucket))
    throw new Error(`${input}: "${shown}" is an access point. Use its bucket instead`)
  if (!BUCKET.test(bucket) || bucket.includes('..') || IP_ADDRESS.test(bucket) || bucket.startsWith('xn--'))
    throw new Error(
      `${input}: "${printable(bucket)}" is not a bucket name (3 to 63 lowercase letters, digits, dots and hyphens; no IP address, no two dots together, and not beginning with xn--)`,
    )
  if (utf8Length(prefix) > KEY_BYTES)
    throw new Error(`${input}: the prefix is longer than a key can be (1,024 bytes)`)
  return { bucket, prefix }
}

/** Why a copy from one place to the other would read its own writes; undefined when it would not. */
export function overlaps(source: Place, destination: Place): string | undefined {
  if (source.bucket !== destination.bucket) return undefined
  if (source.prefix === destination.prefix)
    return 'destination: is the same as the source, and S3 does not copy an object onto itself'
  if (destination.prefix.startsWith(source.prefix))
    return 'destination: lies inside the source, so copies would be copied again. `prefixes` does not change that. Narrow `source` instead'
  return undefined
}

/** What to tell somebody who forgot a slash at the end of one of the places, with an example; undefined when both or none are folders. */
export function joinsNames(source: Place, destination: Place): string | undefined {
  const isFolder = ({ prefix }: Place) => prefix === '' || prefix.endsWith('/')
  if (isFolder(source) === isFolder(destination)) return undefined
  const rest = isFolder(source) ? 'a.jpg' : '/a.jpg'
  const from = showPlace({ ...source, prefix: source.prefix + rest })
  const to = showPlace({ ...destination, prefix: destination.prefix + rest })
  return `destination: ${from} becomes ${to}, because the source prefix is replaced literally. If you mean folders, end both prefixes with a slash.`
}

/** A place as the person wrote it, safe to print on one line. */
export function showPlace({ bucket, prefix }: Place): string {
  return printable(prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`)
}
