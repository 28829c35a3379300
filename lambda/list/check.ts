import { CHECK_MS, type CheckAnswer, type CheckEvent } from '../../protocol/check.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import type { Options, Place } from '../../protocol/run.ts'
import { isTransient, type S3, S3Error } from '../s3/index.ts'

/** Lists one key of each side, of the source for each prefix. Never throws for what S3 says. */
export async function check(
  { source, destination, options = {}, prefixes = [source.prefix] }: CheckEvent['check'],
  s3: Pick<S3, 'listObjectsV2'>,
): Promise<CheckAnswer> {
  const found = await Promise.all([
    ...prefixes.map((prefix) =>
      problemWith('source', { ...source, prefix }, options.sourceOwner, options, s3),
    ),
    problemWith('destination', destination, options.destinationOwner, options, s3),
  ])
  const problems = found.filter((problem) => problem !== undefined)
  return { protocol: PROTOCOL, problems: [...new Set(problems)] }
}

async function problemWith(
  side: 'source' | 'destination',
  { bucket, prefix }: Place,
  expectedBucketOwner: string | undefined,
  { requestPayer, overwrite }: Options,
  s3: Pick<S3, 'listObjectsV2'>,
): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(CHECK_MS)
    await s3.listObjectsV2({ bucket, prefix, maxKeys: 1, requestPayer, expectedBucketOwner, signal })
    return undefined
  } catch (error) {
    // S3 being busy is nobody's mistake, and a destination that may be written but not listed is good enough for most runs.
    if (!(error instanceof S3Error) || isTransient(error)) return undefined
    if (side === 'destination' && error.code === 'AccessDenied' && !overwrite) return undefined
    return `${side}: the list function can't list s3://${bucket}/${prefix}: ${error.code}: ${error.message}`
  }
}
