import type { FunctionSettings, Lambda, MappingSettings } from '../../lambda/index.ts'
import type { Properties } from '../template.ts'
import { type Created, generatedName, type Provider } from './provider.ts'

/** Reads an object of the embedded S3; throws S3's error. */
export type ReadObject = (bucket: string, key: string) => Promise<Uint8Array>

/** Defaults of CreateFunction and CreateEventSourceMapping (Lambda API reference). */
const DEFAULT_TIMEOUT = 3
const DEFAULT_MEMORY = 128
const DEFAULT_BATCH_SIZE = 10

export function lambdaProviders(lambda: Lambda, readObject: ReadObject): Map<string, Provider> {
  const put = async (name: string, properties: Properties): Promise<Created> => {
    const { S3Bucket, S3Key } = properties.Code as { S3Bucket: string; S3Key: string }
    const code = await readObject(S3Bucket, S3Key).catch((error: Error) => {
      throw new Error(
        `Error occurred while GetObject. S3 Error Code: ${error.name}. S3 Error Message: ${error.message}`,
      )
    })
    const { arn } = await lambda.put(functionSettings(name, properties), code)
    return { physicalId: name, attributes: { Arn: arn } }
  }
  const fn: Provider = {
    create: (properties, place) =>
      put(String(properties.FunctionName ?? generatedName(place, 64)), properties),
    update: ({ physicalId }, properties) => put(physicalId, properties),
    delete: ({ physicalId }) => lambda.delete(physicalId),
    replacedBy: ['FunctionName'],
  }
  const mapping: Provider = {
    async create(properties) {
      const created = lambda.map(mappingSettings(lambda, properties))
      await created.settled
      return { physicalId: created.id, attributes: { Id: created.id } }
    },
    async update(resource, properties) {
      const existing = lambda.mapping(resource.physicalId)
      await existing.settled
      // Whether it is enabled stays as it is when the template does not say it.
      const { enabled, ...settings } = mappingSettings(lambda, properties)
      existing.update(properties.Enabled === undefined ? settings : { ...settings, enabled })
      await existing.settled
      return resource
    },
    async delete({ physicalId }) {
      if (lambda.mappings.has(physicalId)) lambda.unmap(physicalId)
    },
    replacedBy: ['EventSourceArn'],
  }
  return new Map([
    ['AWS::Lambda::Function', fn],
    ['AWS::Lambda::EventSourceMapping', mapping],
  ])
}

function functionSettings(name: string, properties: Properties): FunctionSettings {
  const { Runtime, Handler, Role, Timeout, MemorySize, Environment, RecursiveLoop } = properties
  const variables = (Environment as { Variables?: Properties } | undefined)?.Variables ?? {}
  return {
    name,
    runtime: String(Runtime),
    handler: String(Handler),
    role: String(Role),
    timeout: Number(Timeout ?? DEFAULT_TIMEOUT),
    memorySize: Number(MemorySize ?? DEFAULT_MEMORY),
    recursiveLoop: RecursiveLoop === 'Allow' ? 'Allow' : 'Terminate',
    environment: Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, String(value)])),
  }
}

function mappingSettings(lambda: Lambda, properties: Properties): MappingSettings {
  const { EventSourceArn, FunctionName, BatchSize, Enabled, MaximumBatchingWindowInSeconds } = properties
  const { MaximumConcurrency } = (properties.ScalingConfig ?? {}) as { MaximumConcurrency?: unknown }
  if (Number(MaximumBatchingWindowInSeconds ?? 0) > 0)
    throw new Error('The embedded Lambda has no MaximumBatchingWindowInSeconds')
  return {
    queueArn: String(EventSourceArn),
    functionName: lambda.get(String(FunctionName)).name,
    enabled: String(Enabled ?? true) === 'true',
    batchSize: Number(BatchSize ?? DEFAULT_BATCH_SIZE),
    maximumConcurrency: MaximumConcurrency === undefined ? undefined : Number(MaximumConcurrency),
    reportBatchItemFailures: ((properties.FunctionResponseTypes ?? []) as string[]).includes(
      'ReportBatchItemFailures',
    ),
  }
}
