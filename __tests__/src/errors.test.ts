import { DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createClients } from '../../src/clients.ts'
import { explain } from '../../src/errors.ts'

const saved = { ...process.env }
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
})
afterEach(() => {
  process.env = { ...saved }
})

test('a step without credentials is told to get some, though no request was ever sent', async () => {
  Object.assign(process.env, {
    HOME: '/nonexistent',
    AWS_CONFIG_FILE: '/nonexistent/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    AWS_EC2_METADATA_DISABLED: 'true',
  })
  const { sts } = createClients('eu-west-1')
  const error = await sts.send(new GetCallerIdentityCommand({})).catch((thrown: unknown) => thrown)
  expect(error).not.toHaveProperty('$metadata')
  expect(explain(error)).toMatch(
    /^CredentialsProviderError: .*\. There are no AWS credentials\. Run aws-actions\/configure-aws-credentials before this step\.$/,
  )
})

test('of an error that AWS answered, the request is told and what to look at', () => {
  const denied = Object.assign(new Error('no'), {
    name: 'AccessDenied',
    $metadata: { httpStatusCode: 403, requestId: 'r1' },
  })
  expect(explain(denied)).toBe(
    'AWS answered AccessDenied: no (request r1). The workflow’s role lacks a permission: see docs/permissions.md.',
  )
})

test('an error that AWS answered names the call, and is a sentence to which another can be added', async () => {
  const { sqs } = createClients('eu-west-1')
  const failing = (error: Error) => () => () => Promise.reject(error)
  const metadata = { httpStatusCode: 503, requestId: 'r1' }
  const error = Object.assign(new Error('busy'), { name: 'ServiceUnavailable', $metadata: metadata })
  sqs.middlewareStack.add(failing(error) as never, { step: 'initialize', priority: 'low' })
  const thrown = await sqs.send(new DeleteQueueCommand({ QueueUrl: 'q' })).catch((it: unknown) => it)
  expect(explain(thrown)).toBe('AWS answered ServiceUnavailable to sqs:DeleteQueue: busy (request r1).')
})

test('an error of another kind is told as it is', () => {
  expect(explain(new TypeError('no'))).toBe('TypeError: no.')
})

test.each(['InvalidClientTokenId', 'UnrecognizedClientException', 'InvalidAccessKeyId'])(
  'who is told %s is told where to look, in sentences that end once',
  (name) => {
    const error = Object.assign(new Error('The security token included in the request is invalid.'), {
      name,
      $metadata: { httpStatusCode: 403 },
    })
    expect(explain(error)).toMatch(
      / is invalid\. AWS does not recognize the workflow’s credentials\. .*region/,
    )
  },
)

test('what the network says is not told as an answer of AWS', () => {
  const cause = Object.assign(new Error('getaddrinfo ENOTFOUND sqs.eu-centrl-1.amazonaws.com'), {
    code: 'ENOTFOUND',
  })
  const error = Object.assign(new Error('wrapped', { cause }), { $metadata: { attempts: 3 } })
  expect(explain(error)).toMatch(/^AWS can’t be reached: getaddrinfo ENOTFOUND sqs\..*`region`/)
})
