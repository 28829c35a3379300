import { backoffMs, type Timing } from '../../protocol/timing.ts'
import {
  isTransient,
  type ListAnswer,
  type ListRequest,
  orUnfinished,
  type S3,
  S3Error,
} from '../s3/index.ts'
import type { Attempt } from '../worker.ts'

/**
 * Lists pages of a bucket however often S3 refuses for the time being. Where it no longer takes a token, it lists from the key
 * after which that page began. Throws definite errors at once, and others when the time is up, or a request was under way for so
 * long that it is aborted.
 */
export function patientList(
  s3: Pick<S3, 'listObjectsV2'>,
  timing: Timing,
  { deadline, signal }: Pick<Attempt, 'deadline' | 'signal'>,
): (request: ListRequest) => Promise<ListAnswer> {
  const askOnce = async (request: ListRequest): Promise<ListAnswer> => {
    try {
      return await s3.listObjectsV2({ ...request, signal })
    } catch (error) {
      throw orUnfinished(error, signal)
    }
  }
  return async (request) => {
    const ask = (continuationToken?: string) =>
      patiently(() => askOnce({ ...request, continuationToken }), timing, { deadline, signal })
    const { continuationToken } = request
    try {
      return await ask(continuationToken)
    } catch (error) {
      // How long a token lasts is not said, and it may be an earlier task's. The key says the same.
      const isOld = error instanceof S3Error && error.code === 'InvalidArgument' && continuationToken
      if (!isOld) throw error
      return await ask()
    }
  }
}

/** Repeats a call that S3 refuses for the time being until it is answered. Throws definite errors at once, others when the time is up. */
async function patiently<T>(
  call: () => Promise<T>,
  timing: Timing,
  { deadline, signal }: Pick<Attempt, 'deadline' | 'signal'>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      const pause = backoffMs(tries, timing.random)
      if (!isTransient(error) || signal.aborted || timing.now() + pause >= deadline) throw error
      await timing.sleep(pause)
    }
  }
}
