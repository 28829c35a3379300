import type { Handler } from './http.ts'
import { ACCESS_KEY_ID, ACCOUNT_ID, arn } from './identity.ts'
import { createQueryApi } from './query.ts'

/** STS as far as GetCallerIdentity goes. */
export function createSts(): Handler {
  const identity = { Account: ACCOUNT_ID, UserId: ACCESS_KEY_ID, Arn: arn('iam', '', 'user/local') }
  return createQueryApi(
    'https://sts.amazonaws.com/doc/2011-06-15/',
    new Map([['GetCallerIdentity', () => identity]]),
  )
}
