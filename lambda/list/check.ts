import { CHECK_MS, type CheckAnswer, type CheckEvent } from '../../protocol/check.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import type { Options, Place } from '../../protocol/run.ts'
import { isTransient, type S3, S3Error } from '../s3/index.ts'

/**
 * Lists one key of each side, of the source for each prefix, and tells the prefixes that have none. Never throws for what
 * S3 says.
 */
export async function check(
  { source, destination, options = {}, prefixes = [source.prefix] }: CheckEvent['check'],
  s3: Pick<S3, 'listObjectsV2'>,
): Promise<CheckAnswer> {
  const looks = await Promise.all([
    look('destination', destination, options.destinationOwner, options, s3),
    ...prefixes.map((prefix) => look('source', { ...source, prefix }, options.sourceOwner, options, s3)),
  ])
  const problems = looks.flatMap(({ problem }) => (problem === undefined ? [] : [problem]))
  const empty = prefixes.filter((_, index) => looks[index + 1]?.isEmpty)
  return { protocol: PROTOCOL, problems: [...new Set(problems)], empty }
}

async function look(
  side: 'source' | 'destination',
  { bucket, prefix }: Place,
  expectedBucketOwner: string | undefined,
  { requestPayer, overwrite }: Options,
  s3: Pick<S3, 'listObjectsV2'>,
): Promise<{ problem?: string; isEmpty?: boolean }> {
  try {
    const signal = AbortSignal.timeout(CHECK_MS)
    const request = { bucket, prefix, maxKeys: 1, requestPayer, expectedBucketOwner, signal }
    const { objects, isTruncated } = await s3.listObjectsV2(request)
    return { isEmpty: objects.length === 0 && !isTruncated }
  } catch (error) {
    // S3 being busy is nobody's mistake, and a destination that may be written but not listed is good enough for most runs.
    if (!(error instanceof S3Error) || isTransient(error)) return {}
    if (side === 'destination' && error.code === 'AccessDenied' && !overwrite) return {}
    return {
      problem: `${side}: the list function can't list s3://${bucket}/${prefix}: ${error.code}: ${error.message}`,
    }
  }
}
