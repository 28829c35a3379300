import { ValidationError } from './errors.ts'
import type { Properties, ResourceDefinition, Template } from './template.ts'

const TRANSFORM = 'AWS::Serverless-2016-10-31'

/** Properties that a serverless function hands on to its AWS::Lambda::Function as they are. */
const PASSED_ON = [
  ...[
    'Architectures',
    'Description',
    'Environment',
    'EphemeralStorage',
    'FunctionName',
    'Handler',
    'KmsKeyArn',
  ],
  ...['LoggingConfig', 'MemorySize', 'RecursiveLoop', 'ReservedConcurrentExecutions', 'Runtime', 'Tags'],
  ...['Timeout', 'Tracing'],
]
const FOR_THE_ROLE = ['AssumeRolePolicyDocument', 'PermissionsBoundary', 'Policies', 'Role']
const EVENT_PROPERTIES = [
  'BatchSize',
  'Enabled',
  'FunctionResponseTypes',
  'MaximumBatchingWindowInSeconds',
  'ScalingConfig',
]

/**
 * Turns serverless functions into functions, event source mappings and roles, by the names that AWS's transform gives
 * them. Only SQS events are known. Throws {@link ValidationError}.
 */
export function transformServerless(template: Template): Template {
  if (![template.Transform].flat().includes(TRANSFORM)) return template
  const { Transform: _, Globals, ...rest } = template
  const resources: Template['Resources'] = {}
  for (const [id, resource] of Object.entries(template.Resources)) {
    if (resource.Type === 'AWS::Serverless::Function')
      Object.assign(resources, expand(id, resource, Globals?.Function))
    else resources[id] = resource
  }
  return { ...rest, Resources: resources }
}

function expand(id: string, resource: ResourceDefinition, globals: Properties = {}): Template['Resources'] {
  const properties = withGlobals(resource.Properties ?? {}, globals)
  const { CodeUri, Events = {}, Role, Policies, PermissionsBoundary } = properties
  const known = [...PASSED_ON, ...FOR_THE_ROLE, 'CodeUri', 'Events']
  const strange = Object.keys(properties).find((name) => !known.includes(name))
  if (strange) invalid(id, `property ${strange} not defined for resource of type AWS::Serverless::Function`)
  const shared = resource.Condition === undefined ? {} : { Condition: resource.Condition }
  const passedOn = Object.fromEntries(Object.entries(properties).filter(([name]) => PASSED_ON.includes(name)))
  const expanded: Template['Resources'] = {
    [id]: {
      ...resource,
      Type: 'AWS::Lambda::Function',
      Properties: {
        ...passedOn,
        Code: codeOf(id, CodeUri),
        Role: Role ?? { 'Fn::GetAtt': [`${id}Role`, 'Arn'] },
      },
    },
  }
  if (Role === undefined)
    expanded[`${id}Role`] = {
      ...shared,
      Type: 'AWS::IAM::Role',
      Properties: {
        ...(PermissionsBoundary !== undefined && { PermissionsBoundary }),
        Policies: Policies ?? [],
      },
    }
  for (const [eventId, event] of Object.entries(Events as Record<string, EventDefinition>))
    expanded[id + eventId] = { ...shared, ...mappingOf(id, eventId, event) }
  return expanded
}

type EventDefinition = { Type: string; Properties: Properties }

function mappingOf(id: string, eventId: string, { Type, Properties }: EventDefinition): ResourceDefinition {
  if (Type !== 'SQS')
    invalid(id, `Event ${eventId} is of type ${Type}; the embedded transform knows SQS events only`)
  const { Queue, ...properties } = Properties
  const strange = Object.keys(properties).find((name) => !EVENT_PROPERTIES.includes(name))
  if (strange) invalid(id, `Event ${eventId} has the property ${strange}, which the embedded Lambda lacks`)
  return {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { ...properties, EventSourceArn: Queue, FunctionName: { Ref: id } },
  }
}

/** Maps of a function and of Globals are merged, other properties of the function win (SAM specification, Globals). */
function withGlobals(own: Properties, globals: Properties): Properties {
  const merged = { ...globals, ...own }
  for (const [name, shared] of Object.entries(globals)) {
    const value = own[name]
    if (isPlainMap(shared) && isPlainMap(value)) merged[name] = withGlobals(value, shared)
  }
  return merged
}

function isPlainMap(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function codeOf(id: string, codeUri: unknown): Properties {
  if (isPlainMap(codeUri)) return { S3Bucket: codeUri.Bucket, S3Key: codeUri.Key }
  const [, bucket, key] = /^s3:\/\/([^/]+)\/([^?]+)$/.exec(String(codeUri)) ?? []
  if (!bucket) invalid(id, "'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key'")
  return { S3Bucket: bucket, S3Key: key }
}

function invalid(id: string, why: string): never {
  throw new ValidationError(
    `Transform ${TRANSFORM} failed with: Invalid Serverless Application Specification document. ` +
      `Number of errors found: 1. Resource with id [${id}] is invalid. ${why}`,
  )
}
