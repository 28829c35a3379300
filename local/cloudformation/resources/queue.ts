import {
  CreateQueueCommand,
  DeleteQueueCommand,
  type QueueAttributeName,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { isQueueGone } from '../../../aws/queue.ts'
import { arn } from '../../identity.ts'
import type { Properties } from '../template.ts'
import { type Created, generatedName, type Provider } from './provider.ts'

/** Properties of AWS::SQS::Queue with the value that SQS takes for a missing one. */
const ATTRIBUTES: Partial<Record<QueueAttributeName, string>> = {
  DelaySeconds: '0',
  KmsDataKeyReusePeriodSeconds: '300',
  KmsMasterKeyId: '',
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  RedriveAllowPolicy: '',
  RedrivePolicy: '',
  SqsManagedSseEnabled: 'true',
  VisibilityTimeout: '30',
}
const OTHER_PROPERTIES = ['QueueName', 'Tags']

export function queueProviders(sqs: SQSClient, region: string): Map<string, Provider> {
  const setAttributes = (QueueUrl: string, Attributes: Partial<Record<QueueAttributeName, string>>) =>
    sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }))

  const queue: Provider = {
    async create(properties, place) {
      const QueueName = String(properties.QueueName ?? generatedName(place, 80))
      const { QueueUrl = '' } = await sqs.send(
        new CreateQueueCommand({ QueueName, Attributes: attributesOf(properties) }),
      )
      return {
        physicalId: QueueUrl,
        attributes: { Arn: arn('sqs', region, QueueName), QueueName, QueueUrl },
      }
    },
    async update(resource, properties) {
      await setAttributes(resource.physicalId, { ...ATTRIBUTES, ...attributesOf(properties) })
      return resource
    },
    delete: ({ physicalId }) => ignoreGone(sqs.send(new DeleteQueueCommand({ QueueUrl: physicalId }))),
    replacedBy: ['QueueName'],
  }

  const putPolicy = async ({ Queues, PolicyDocument }: Properties) => {
    for (const url of Queues as string[]) await setAttributes(url, { Policy: JSON.stringify(PolicyDocument) })
  }
  const policies = new Map<string, string[]>()
  const queuePolicy: Provider = {
    async create(properties, place): Promise<Created> {
      await putPolicy(properties)
      const physicalId = generatedName(place, 64)
      policies.set(physicalId, properties.Queues as string[])
      return { physicalId, attributes: { Id: physicalId } }
    },
    async update(resource, properties) {
      await putPolicy(properties)
      policies.set(resource.physicalId, properties.Queues as string[])
      return resource
    },
    async delete({ physicalId }) {
      for (const url of policies.get(physicalId) ?? []) await ignoreGone(setAttributes(url, { Policy: '' }))
    },
    replacedBy: [],
  }
  return new Map([
    ['AWS::SQS::Queue', queue],
    ['AWS::SQS::QueuePolicy', queuePolicy],
  ])
}

function attributesOf(properties: Properties): Partial<Record<QueueAttributeName, string>> {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(properties)) {
    if (OTHER_PROPERTIES.includes(name)) continue
    if (!(name in ATTRIBUTES)) throw new Error(`extraneous key [${name}] is not permitted`)
    attributes[name] = typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
  return attributes
}

async function ignoreGone(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!isQueueGone(error)) throw error
  }
}
