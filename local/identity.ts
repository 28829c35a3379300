/** The one account of the embedded AWS; fauxqs has it built in. */
export const ACCOUNT_ID = '000000000000'
export const PARTITION = 'aws'
/** Any key is accepted: signatures are not checked. */
export const ACCESS_KEY_ID = 'test'
export const SECRET_ACCESS_KEY = 'test'

/** The ARN of something in this account, e.g. `arn('lambda', 'eu-west-1', 'function:list')`. */
export function arn(service: string, region: string, resource: string): string {
  return `arn:${PARTITION}:${service}:${region}:${ACCOUNT_ID}:${resource}`
}
