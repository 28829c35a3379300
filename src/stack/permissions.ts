import { isDenied } from '../errors.ts'

/** API calls whose IAM action has another name than the call (AWS service authorization reference). */
const OTHERWISE: Record<string, string> = {
  's3:HeadBucket': 's3:ListBucket',
  's3:HeadObject': 's3:GetObject',
  's3:ListObjectsV2': 's3:ListBucket',
  's3:CopyObject': 's3:PutObject',
  's3:DeleteObjects': 's3:DeleteObject',
  's3:PutPublicAccessBlock': 's3:PutBucketPublicAccessBlock',
  's3:PutBucketLifecycleConfiguration': 's3:PutLifecycleConfiguration',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
  'lambda:Invoke': 'lambda:InvokeFunction',
}

/** The IAM action that a call of the AWS SDK needs, such as `lambda:InvokeFunction` for LambdaClient's InvokeCommand. */
export function permissionFor(clientName: string, commandName: string): string {
  const call = callOf(clientName, commandName)
  return OTHERWISE[call] ?? call
}

/** An API call as IAM writes its actions. */
function callOf(clientName: string, commandName: string): string {
  return `${clientName.replace(/Client$/, '').toLowerCase()}:${commandName.replace(/Command$/, '')}`
}

type Context = { clientName?: string; commandName?: string }
type Next = (args: never) => Promise<unknown>
/** As much of an AWS SDK client as is needed to stand in the way of its calls. */
export type AnyClient = {
  middlewareStack: { add: (middleware: never, options: { step: 'initialize'; name: string }) => void }
}

/** Makes a client's errors say which call failed, and which permission was missing where AWS leaves that out. Returns the client. */
export function nameCalls<C extends AnyClient>(client: C): C {
  const middleware =
    (next: Next, { clientName = '', commandName = '' }: Context) =>
    async (args: never) => {
      try {
        return await next(args)
      } catch (error) {
        if (!(error instanceof Error)) throw error
        Object.assign(error, { call: callOf(clientName, commandName) })
        if (isDenied(error.name) && !/not authorized to perform/.test(error.message))
          error.message = `${error.message} (this needs the permission ${permissionFor(clientName, commandName)})`
        throw error
      }
    }
  client.middlewareStack.add(middleware as never, { step: 'initialize', name: 'nameCalls' })
  return client
}
