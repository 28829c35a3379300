import type { CheckAnswer, CheckEvent } from '../../protocol/check.ts'
import { type Place, PROTOCOL } from '../../protocol/message.ts'
import { isTransient, type S3, S3Error } from '../s3/index.ts'

/** Lists one key of each side. Never throws for what S3 says. */
export async function check(
  { source, destination }: CheckEvent['check'],
  s3: Pick<S3, 'listObjectsV2'>,
): Promise<CheckAnswer> {
  const found = await Promise.all([
    problemWith('source', source, s3),
    problemWith('destination', destination, s3),
  ])
  return { protocol: PROTOCOL, problems: found.filter((problem) => problem !== undefined) }
}

async function problemWith(
  side: 'source' | 'destination',
  { bucket, prefix }: Place,
  s3: Pick<S3, 'listObjectsV2'>,
): Promise<string | undefined> {
  try {
    await s3.listObjectsV2({ bucket, prefix, maxKeys: 1 })
    return undefined
  } catch (error) {
    // A destination that may be written but not listed is good enough, and S3 being busy is nobody's mistake.
    if (!(error instanceof S3Error) || isTransient(error)) return undefined
    if (side === 'destination' && error.code === 'AccessDenied') return undefined
    return `${side}: the list function can't list s3://${bucket}: ${error.code}: ${error.message}`
  }
}
