import { Logger } from '@aws-lambda-powertools/logger'
import { SQSClient } from '@aws-sdk/client-sqs'
import { SQS_ATTEMPTS } from '../aws/queue.ts'
import { realTiming } from '../protocol/timing.ts'
import { RunGate } from './run-gate.ts'
import { createS3Client, type S3 } from './s3/index.ts'
import type { WorkerDeps } from './worker.ts'

type Environment = { listQueueUrl: string; copyQueueUrl: string }

/** What a function needs, made once for an instance. Throws when the stack's variables are missing. */
export function createWorker(kind: 'list' | 'copy'): { s3: S3; deps: WorkerDeps; environment: Environment } {
  const environment = { listQueueUrl: variable('LIST_QUEUE_URL'), copyQueueUrl: variable('COPY_QUEUE_URL') }
  // A run queue's URL comes in a message: it names a queue, it must not choose the host that signed requests go to.
  const sqs = new SQSClient({ maxAttempts: SQS_ATTEMPTS, useQueueUrlAsEndpoint: false })
  return {
    s3: createS3Client({ region: variable('AWS_REGION') }),
    deps: {
      sqs,
      queueUrl: kind === 'list' ? environment.listQueueUrl : environment.copyQueueUrl,
      gate: new RunGate(sqs, realTiming.now),
      logger: new Logger({ serviceName: `s3-71-${kind}` }),
      timing: realTiming,
    },
    environment,
  }
}

function variable(name: string): string {
  const value = process.env[name]
  if (!value)
    throw new Error(`the environment variable ${name} is not set; it comes from the stack's template.yaml`)
  return value
}
