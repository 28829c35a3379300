import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Handler } from '../http.ts'
import type { Lambda } from '../lambda/index.ts'
import { createCloudFormationApi } from './api.ts'
import { inertProviders } from './resources/inert.ts'
import { lambdaProviders, type ReadObject } from './resources/lambda.ts'
import { queueProviders } from './resources/queue.ts'
import { Stacks } from './stacks.ts'

export { Stacks } from './stacks.ts'

type CloudFormationOptions = {
  region: string
  sqs: SQSClient
  lambda: Lambda
  readObject: ReadObject
}

/** The embedded CloudFormation: the stacks, and the API that deploys them. */
export function createCloudFormation(options: CloudFormationOptions): { stacks: Stacks; handle: Handler } {
  const { region, sqs, lambda, readObject } = options
  const stacks = new Stacks(
    region,
    new Map([
      ...inertProviders(region),
      ...queueProviders(sqs, region),
      ...lambdaProviders(lambda, readObject),
    ]),
  )
  return { stacks, handle: createCloudFormationApi(stacks, readObject) }
}
