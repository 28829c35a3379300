import { UserError } from '../errors.ts'
import type { Stack } from './outputs.ts'

/** What a run wants of its stack; what is left out stays as it is. */
export type Wishes = {
  sourceBucket: string
  destinationBucket: string
  /** Copy functions at once, 2 to 1,000. */
  maxConcurrency: number
  /** ARN of the KMS key of the source objects, when it is not S3's own. */
  sourceKmsKey?: string | undefined
  destinationKmsKey?: string | undefined
  /** Whether copies get an ACL, and annotations are copied: rights that the function has only where a run needs them. */
  allowAcls?: boolean | undefined
  allowAnnotations?: boolean | undefined
  /** Where the functions find S3; AWS's own without it. */
  s3Endpoint?: string | undefined
  /** ARN of an IAM policy. */
  permissionsBoundary?: string | undefined
  /** Tags of the stack and of all that is in it. */
  tags?: Record<string, string> | undefined
}

/** The parameters of template.yaml. */
export const PARAMETERS = [
  'SourceBucketArns',
  'DestinationBucketArns',
  'SourceKmsKeyArns',
  'DestinationKmsKeyArns',
  'AllowAcls',
  'AllowAnnotations',
  'S3EndpointUrl',
  'ListMaxConcurrency',
  'CopyMaxConcurrency',
  'LogRetentionDays',
  'PermissionsBoundaryArn',
  'Fingerprint',
]

/** Bytes of a parameter's value at most (CloudFormation quotas). */
const VALUE_BYTES = 4096
/** Parameters that give the functions the permissions on buckets and keys, and those for what only some runs need. */
const PERMISSIONS = [
  'SourceBucketArns',
  'DestinationBucketArns',
  'SourceKmsKeyArns',
  'DestinationKmsKeyArns',
  'AllowAcls',
  'AllowAnnotations',
]

/**
 * The parameters that a run sets, by name. Buckets and keys are added to those that the stack knows already, so that
 * runs with other buckets go on working.
 *
 * @param current the stack's parameters, empty when there is no stack
 * @throws UserError when a list has become longer than CloudFormation takes
 */
export function wantedParameters(
  wishes: Wishes,
  { partition, fingerprint }: { partition: string; fingerprint: string },
  current: ReadonlyMap<string, string>,
): Map<string, string> {
  const wanted = new Map([['Fingerprint', fingerprint]])
  const add = (name: string, item: string | undefined) => {
    if (item === undefined) return
    const value = [...new Set([...listOf(current.get(name)), item])].join(',')
    if (Buffer.byteLength(value) > VALUE_BYTES)
      throw new UserError(
        `The stack’s parameter ${name} has no room for ${item}: it can hold ${VALUE_BYTES} bytes. Use another \`stack-name\` for these buckets, or delete the stack so that the action creates it again.`,
      )
    wanted.set(name, value)
  }
  add('SourceBucketArns', `arn:${partition}:s3:::${wishes.sourceBucket}`)
  add('DestinationBucketArns', `arn:${partition}:s3:::${wishes.destinationBucket}`)
  add('SourceKmsKeyArns', wishes.sourceKmsKey)
  add('DestinationKmsKeyArns', wishes.destinationKmsKey)
  if (wishes.allowAcls) wanted.set('AllowAcls', 'true')
  if (wishes.allowAnnotations) wanted.set('AllowAnnotations', 'true')
  wanted.set('S3EndpointUrl', wishes.s3Endpoint ?? '')
  wanted.set('CopyMaxConcurrency', String(wishes.maxConcurrency))
  wanted.set('ListMaxConcurrency', String(listConcurrency(wishes.maxConcurrency)))
  if (wishes.permissionsBoundary !== undefined)
    wanted.set('PermissionsBoundaryArn', wishes.permissionsBoundary)
  return wanted
}

/** List functions at once for so many copy functions: one lists faster than four copy, and forty are enough for any run. */
export function listConcurrency(maxConcurrency: number): number {
  return Math.min(40, Math.max(2, Math.floor(maxConcurrency / 4)))
}

/** The names of the parameters and tags in which a stack differs from what is wanted; a tag is shown as `tag NAME`. */
export function differences(
  stack: Pick<Stack, 'parameters' | 'tags'>,
  wanted: ReadonlyMap<string, string>,
  tags: Record<string, string> = {},
): string[] {
  const parameters = [...wanted].filter(([name, value]) => !sameValue(stack.parameters.get(name), value))
  const changedTags = Object.entries(tags).filter(([name, value]) => stack.tags.get(name) !== value)
  return [...parameters.map(([name]) => name), ...changedTags.map(([name]) => `tag ${name}`)]
}

/** What has to be done to a stack's parameters before its functions have the permissions that a run can't do without. */
export function missingRights(
  { parameters }: Pick<Stack, 'parameters'>,
  wanted: ReadonlyMap<string, string>,
): string[] {
  return PERMISSIONS.flatMap((name) => {
    const has = listOf(parameters.get(name))
    const missing = listOf(wanted.get(name)).filter((item) => !has.includes(item))
    if (missing.length === 0) return []
    return name.startsWith('Allow') ? `set ${name} to true` : `add ${missing.join(', ')} to ${name}`
  })
}

function sameValue(has: string | undefined, wants: string): boolean {
  return has !== undefined && listOf(has).join(',') === wants
}

function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
