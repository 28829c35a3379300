import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { afterRun, checkFunction, ensureStack, keepEnabled, resume } from '../../src/stack/index.ts'
import { permissionFor } from '../../src/stack/permissions.ts'
import { emptyAccount, STACK, tools, writeCode } from '../src/stack/support.ts'

/** Each test deploys a stack, which takes a second, and more on a busy machine. */
jest.setTimeout(60_000)

const ROOT = join(import.meta.dirname, '..', '..')

type Statement = { Sid: string; Action: string | string[]; Resource: unknown }
type Policy = { PolicyName?: string; PolicyDocument: { Statement: Array<Statement | unknown[]> } }
type Template = { Resources: Record<string, { Properties: { Policies?: Policy[] } & Policy }> }

const read = (path: string) =>
  parse(readFileSync(join(ROOT, path), 'utf8'), { logLevel: 'silent' }) as Template
const workflow = read('iam/workflow-role.yaml')
const stack = read('template.yaml')

/** The actions that a policy allows, each once; the arguments of Fn::If are statements too. */
function actionsOf({ PolicyDocument }: Policy): string[] {
  const statements = PolicyDocument.Statement.flat().filter(
    (it): it is Statement => (it as Statement)?.Sid !== undefined,
  )
  return [...new Set(statements.flatMap(({ Action }) => Action))].sort()
}
const policyOf = (name: string): string[] => {
  const policy = workflow.Resources.WorkflowRole?.Properties.Policies?.find((it) => it.PolicyName === name)
  if (!policy) throw new Error(`the role has no policy ${name}`)
  return actionsOf(policy)
}

/** Calls that take no permission (STS API reference, GetCallerIdentity). */
const FREE = ['sts:GetCallerIdentity']
/** What is allowed for others than the action itself: CloudFormation tags stacks for it. */
const BESIDES = ['cloudformation:TagResource']

/** Every call of an AWS SDK client that the sources of the action contain, as the permission that it takes. */
function permissionsInSources(): string[] {
  const found = new Set<string>()
  for (const path of globSync(['src/**/*.ts', 'aws/**/*.ts'], { cwd: ROOT })) {
    const source = readFileSync(join(ROOT, path), 'utf8')
    for (const [, names = '', client = ''] of source.matchAll(
      /import(?: type)? \{([^}]*)\} from '@aws-sdk\/client-([a-z0-9]+)'/g,
    ))
      for (const [name] of names.matchAll(/\w+/g)) {
        const command = /^(\w+)Command$/.exec(name)?.[1] ?? /^paginate(\w+)$/.exec(name)?.[1]
        if (command) found.add(permissionFor(`${client}Client`, command))
      }
  }
  return [...found].filter((permission) => !FREE.includes(permission)).sort()
}

describe('the workflow role’s policy', () => {
  test('“run” allows what the action calls, and nothing else', () => {
    expect(policyOf('run')).toEqual([...permissionsInSources(), ...BESIDES].sort())
  })

  test('“deploy” allows what CloudFormation calls for the resources of the template, and nothing else', () => {
    const needed = Object.values(HANDLERS).flat()
    expect(policyOf('deploy')).toEqual([...new Set(needed)].sort())
    const types = new Set(
      Object.values(stack.Resources).map((it) => (it as unknown as { Type: string }).Type),
    )
    types.delete('AWS::Serverless::Function')
    const expanded = ['AWS::Lambda::Function', 'AWS::Lambda::EventSourceMapping']
    expect(Object.keys(HANDLERS).sort()).toEqual([...types, ...expanded].sort())
  })

  test('the boundary lets the functions do all that their roles allow, and nothing else', () => {
    const boundary = workflow.Resources.FunctionBoundary
    const roles = Object.values(stack.Resources).flatMap(({ Properties }) => Properties.Policies ?? [])
    expect(roles).toHaveLength(2)
    expect(actionsOf(boundary?.Properties as Policy)).toEqual([...new Set(roles.flatMap(actionsOf))].sort())
  })
})

describe('the policies of docs/permissions.md', () => {
  const text = readFileSync(join(ROOT, 'docs', 'permissions.md'), 'utf8')
  type Document = Statement | { Statement: Statement[] }

  const documented = (name: string): Statement[] => {
    const [, json] = new RegExp(`<!-- policy: ${name} -->\n\`\`\`json\n([^\`]*)`).exec(text) ?? []
    if (!json) throw new Error(`the page has no policy for the ${name}`)
    const document = JSON.parse(json) as Document
    return 'Statement' in document ? document.Statement : [document]
  }
  const granted = (...sids: string[]) => {
    const roles = Object.values(stack.Resources).flatMap(({ Properties }) => Properties.Policies ?? [])
    const statements = roles.flatMap(({ PolicyDocument }) => PolicyDocument.Statement.flat() as Statement[])
    return [
      ...new Set(statements.filter(({ Sid }) => sids.includes(Sid)).flatMap(({ Action }) => Action)),
    ].sort()
  }

  test.each([
    ['source bucket', ['ListSources', 'MissOnSources', 'ReadSources']],
    ['destination bucket', ['SeeDestinations', 'WriteDestinations']],
    ['source key', ['DecryptSources']],
    ['destination key', ['EncryptCopies']],
  ])('for the %s allow what the functions are allowed', (name, sids) => {
    const actions = documented(name).flatMap(({ Action }) => Action)
    expect(actions.length).toBeGreaterThan(0)
    expect(actions.sort()).toEqual(granted(...sids))
  })

  test('are all JSON', () => {
    const blocks = [...text.matchAll(/```json\n([^`]*)```/g)].map(
      ([, json = '']) => JSON.parse(json) as object,
    )
    expect(blocks).toHaveLength(5)
  })
})

describe('the calls made on the embedded AWS', () => {
  let account: Awaited<ReturnType<typeof emptyAccount>>
  beforeAll(async () => {
    account = await emptyAccount()
  })
  afterAll(() => account.stop())

  test('from an empty account to the deleted stack are all allowed', async () => {
    const { clients, calls, request } = account
    const codePath = writeCode(
      join(request.codePath, '..'),
      'export const handler = async () => ({ protocol: 1, problems: [] })',
    )
    const { outputs } = await ensureStack(clients, { ...request, codePath }, tools())
    await ensureStack(clients, { ...request, codePath, maxConcurrency: 9 }, tools())
    const run = {
      source: { bucket: 'photos-old', prefix: '' },
      destination: { bucket: 'photos-new', prefix: '' },
    }
    await checkFunction(clients.lambda, outputs.listFunctionName, run, false, tools())
    await resume(clients.lambda, outputs, tools())
    await keepEnabled(clients.lambda, outputs, tools())
    await afterRun('pause', clients, { name: STACK, outputs }, tools())
    await afterRun('delete', clients, { name: STACK, outputs }, tools())
    const made = [...new Set(calls.map((call) => permissionFor(...(call.split(' ') as [string, string]))))]
    expect(made.length).toBeGreaterThan(12)
    const allowed = [...policyOf('run'), ...FREE]
    expect(made.filter((permission) => !allowed.includes(permission))).toEqual([])
  })
})

/**
 * The permissions that CloudFormation's handlers of these types use for the properties that the template sets (handlers
 * in the types' schemas of the CloudFormation registry; those of the queue policy and PassRole from the user guides).
 */
const HANDLERS: Record<string, string[]> = {
  'AWS::SQS::Queue': [
    'sqs:CreateQueue',
    'sqs:GetQueueUrl',
    'sqs:GetQueueAttributes',
    'sqs:ListQueueTags',
    'sqs:TagQueue',
    'sqs:SetQueueAttributes',
    'sqs:UntagQueue',
    'sqs:DeleteQueue',
  ],
  'AWS::SQS::QueuePolicy': ['sqs:SetQueueAttributes'],
  'AWS::Lambda::Function': [
    'lambda:CreateFunction',
    'lambda:GetFunction',
    'iam:PassRole',
    'lambda:GetFunctionCodeSigningConfig',
    'lambda:GetRuntimeManagementConfig',
    'lambda:PutFunctionRecursionConfig',
    'lambda:GetFunctionRecursionConfig',
    'lambda:TagResource',
    'lambda:UntagResource',
    'lambda:ListTags',
    'lambda:UpdateFunctionConfiguration',
    'lambda:UpdateFunctionCode',
    'lambda:DeleteFunction',
  ],
  'AWS::Lambda::EventSourceMapping': [
    'lambda:CreateEventSourceMapping',
    'lambda:GetEventSourceMapping',
    'lambda:UpdateEventSourceMapping',
    'lambda:DeleteEventSourceMapping',
    'lambda:TagResource',
    'lambda:UntagResource',
    'lambda:ListTags',
  ],
  'AWS::IAM::Role': [
    'iam:CreateRole',
    'iam:GetRole',
    'iam:DeleteRole',
    'iam:UpdateRole',
    'iam:UpdateRoleDescription',
    'iam:UpdateAssumeRolePolicy',
    'iam:PutRolePolicy',
    'iam:GetRolePolicy',
    'iam:DeleteRolePolicy',
    'iam:PutRolePermissionsBoundary',
    'iam:ListRolePolicies',
    'iam:ListAttachedRolePolicies',
    'iam:TagRole',
    'iam:UntagRole',
  ],
  'AWS::Logs::LogGroup': [
    'logs:CreateLogGroup',
    'logs:DescribeLogGroups',
    'logs:DeleteLogGroup',
    'logs:PutRetentionPolicy',
    'logs:DeleteRetentionPolicy',
    'logs:GetDataProtectionPolicy',
    'logs:DescribeIndexPolicies',
    'logs:ListTagsForResource',
    'logs:TagResource',
    'logs:UntagResource',
  ],
}
