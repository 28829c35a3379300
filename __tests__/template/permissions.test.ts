import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { evaluate, NO_VALUE, type Scope } from '../../local/cloudformation/intrinsics.ts'
import { parseTemplate } from '../../local/cloudformation/template.ts'
import { afterRun, checkFunction, ensureStack, keepEnabled, resume } from '../../src/stack/index.ts'
import { permissionFor } from '../../src/stack/permissions.ts'
import { emptyAccount, STACK, tools, writeCode } from '../src/stack/support.ts'

/** Each test deploys a stack, which takes a second, and more on a busy machine. */
jest.setTimeout(60_000)

const ROOT = join(import.meta.dirname, '..', '..')

type Statement = { Sid: string; Action: string | string[]; Resource: unknown; Condition?: unknown }
type Policy = { PolicyName?: string; PolicyDocument: { Statement: Array<Statement | unknown[]> } }
type Template = {
  Parameters: Record<string, { AllowedPattern?: string }>
  Resources: Record<string, { Properties: { Policies?: Policy[] } & Policy }>
}

const read = (path: string) =>
  parse(readFileSync(join(ROOT, path), 'utf8'), { logLevel: 'silent' }) as Template
const workflow = read('iam/workflow-role.yaml')
const stack = read('template.yaml')

/** The statements of a policy; the arguments of Fn::If are statements too. */
function statementsOf({ PolicyDocument }: Policy): Statement[] {
  return PolicyDocument.Statement.flat().filter((it): it is Statement => (it as Statement)?.Sid !== undefined)
}
/** The actions that a policy allows, each once. */
function actionsOf(policy: Policy): string[] {
  return [...new Set(statementsOf(policy).flatMap(({ Action }) => Action))].sort()
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

/** What S3's calls take of the caller (service authorization reference): the functions' clients make them by these names. */
const S3_CALLS: Record<string, string[]> = {
  listObjectsV2: ['s3:ListBucket'],
  copyObject: [
    's3:GetObject',
    's3:GetObjectTagging',
    's3:GetObjectAnnotation',
    's3:PutObject',
    's3:PutObjectTagging',
    's3:PutObjectAnnotation',
    's3:PutObjectAcl',
  ],
  HEAD_OBJECT: ['s3:GetObject'],
  GET_FIRST_BYTE: ['s3:GetObject'],
  GET_OBJECT_TAGGING: ['s3:GetObjectTagging'],
  PUT_OBJECT_TAGGING: ['s3:PutObjectTagging'],
  LIST_OBJECT_ANNOTATIONS: ['s3:ListObjectAnnotations'],
  GET_OBJECT_ANNOTATION: ['s3:GetObjectAnnotation'],
  PUT_OBJECT_ANNOTATION: ['s3:PutObjectAnnotation'],
  CREATE_MULTIPART_UPLOAD: ['s3:PutObject', 's3:PutObjectTagging', 's3:PutObjectAcl'],
  UPLOAD_PART_COPY: ['s3:GetObject', 's3:PutObject'],
  LIST_PARTS: ['s3:ListMultipartUploadParts'],
  COMPLETE_MULTIPART_UPLOAD: ['s3:PutObject'],
  ABORT_MULTIPART_UPLOAD: ['s3:AbortMultipartUpload'],
}

test.each(['List', 'Copy'])(
  'the %s function’s role allows what its sources call of S3, and nothing else',
  (name) => {
    const calls = new Set<string>()
    for (const path of globSync(`lambda/${name.toLowerCase()}/*.ts`, { cwd: ROOT })) {
      const source = readFileSync(join(ROOT, path), 'utf8')
      for (const [call] of source.matchAll(/\b(?:listObjectsV2|copyObject)\b/g)) calls.add(call)
      for (const [, names = ''] of source.matchAll(/import \{([^}]*)\} from '\.\.\/s3\/index\.ts'/g))
        for (const [call] of names.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)) calls.add(call)
    }
    const needed = [...calls].flatMap((call) => S3_CALLS[call] ?? [`nobody says what ${call} takes`])
    const allowed = (stack.Resources[`${name}FunctionRole`]?.Properties.Policies ?? []).flatMap(actionsOf)
    expect(allowed.filter((action) => action.startsWith('s3:')).sort()).toEqual([...new Set(needed)].sort())
  },
)

test.each([
  ['repo:octo-org/backups:ref:refs/heads/main', true],
  ['repo:octo-org@123456/backups@456789:ref:refs/heads/main', true],
  ['repo:octo-org@123456/backups@456789:environment:production', true],
  ['repo:octo-org/*:ref:refs/heads/main', false],
  ['repo:octo-org@123456/*', false],
  ['repo:octo-org@123456/backups@456789', false],
])('a workflow may be named %s: %s', (subject, accepted) => {
  const { AllowedPattern = '' } = workflow.Parameters.GitHubSubjects ?? {}
  expect(new RegExp(AllowedPattern).test(subject)).toBe(accepted)
})

describe('the conditions under which a right is given', () => {
  /** Of the roles and the boundary. */
  const statements = [workflow, stack]
    .flatMap((template) => Object.values(template.Resources))
    .flatMap(({ Properties }) => [
      ...(Properties.Policies ?? []),
      ...(Properties.PolicyDocument ? [Properties] : []),
    ])
    .flatMap((policy) => (policy.PolicyDocument.Statement ? statementsOf(policy) : []))
  const ofStack = ['list', 'copy'].map(
    (name) => `arn:\${AWS::Partition}:lambda:*:\${AWS::AccountId}:function:\${StackName}-${name}`,
  )
  const bounded = { StringEquals: { 'iam:PermissionsBoundary': 'FunctionBoundary' } }
  const onMappings = { ArnLike: { 'lambda:FunctionArn': ofStack } }
  const throughS3 = { StringLike: { 'kms:ViaService': 's3.*' } }

  test.each([
    // Who makes a role without the boundary can do anything.
    ['iam:CreateRole', bounded],
    ['iam:PutRolePolicy', bounded],
    ['iam:DeleteRolePolicy', bounded],
    ['iam:PutRolePermissionsBoundary', bounded],
    ['iam:PassRole', { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } }],
    ['lambda:CreateEventSourceMapping', onMappings],
    ['lambda:UpdateEventSourceMapping', onMappings],
    ['lambda:DeleteEventSourceMapping', onMappings],
    ['kms:Decrypt', throughS3],
    ['kms:GenerateDataKey', throughS3],
  ])('%s', (action, condition) => {
    const granting = statements.filter(({ Action }) => [Action].flat().includes(action))
    expect(granting.length).toBeGreaterThan(0)
    for (const { Condition } of granting) expect(Condition).toEqual(condition)
  })

  test('the runner reads and writes objects of its own account only', () => {
    const policies = workflow.Resources.WorkflowRole?.Properties.Policies ?? []
    const granting = policies
      .flatMap(statementsOf)
      .filter(({ Action }) => [Action].flat().some((action) => /^s3:\w+Object$/.test(action)))
    expect(granting.map(({ Sid }) => Sid)).toEqual(['StoreCode', 'KeepCheckpoints'])
    for (const { Condition } of granting)
      expect(Condition).toEqual({ StringEquals: { 'aws:ResourceAccount': 'AWS::AccountId' } })
  })

  test('the workflow role is assumed by tokens that GitHub made for AWS, and for workflows that are named', () => {
    const role = workflow.Resources.WorkflowRole as unknown as {
      Properties: { AssumeRolePolicyDocument: { Statement: unknown[] } }
    }
    expect(role.Properties.AssumeRolePolicyDocument.Statement).toMatchObject([
      {
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' },
          StringLike: { 'token.actions.githubusercontent.com:sub': 'GitHubSubjects' },
        },
      },
    ])
  })
})

describe('a stack of its own for each team', () => {
  const roles = Object.values(workflow.Resources).flatMap(({ Properties }) => [
    ...(Properties.Policies ?? []),
    ...(Properties.PolicyDocument ? [Properties] : []),
  ])
  const statements = roles.flatMap(statementsOf)
  const filledIn = (text: unknown, values: Record<string, string>) =>
    String(text).replace(/\$\{([\w:]+)\}/g, (_, name) => values[name] ?? '')
  /** What of a statement names the stack, as it is for the stack of this name. */
  const patternsFor = (name: string, { Resource, Condition }: Statement) =>
    [...JSON.stringify([Resource, Condition]).matchAll(/"([^"]*\$\{StackName\}[^"]*)"/g)].map(([, text]) =>
      filledIn(text, {
        'AWS::Partition': 'aws',
        'AWS::AccountId': '1',
        ArtifactBucket: 'code',
        StackName: name,
      }),
    )

  /** ARNs of all that is a stack's. What the template gives no name has one of CloudFormation's, who shortens those of roles. */
  function ownedBy(name: string): string[] {
    const owned = Object.entries(stack.Resources).flatMap(([logicalId, resource]) => {
      const { Type, Properties } = resource as unknown as {
        Type: string
        Properties: Record<string, unknown>
      }
      const given = (property: string) => filledIn(Properties[property], { 'AWS::StackName': name })
      if (Type === 'AWS::SQS::Queue') return `sqs:eu-west-1:1:${name}-${logicalId}-1ABCDEFGHIJKL`
      if (Type === 'AWS::Serverless::Function') return `lambda:eu-west-1:1:function:${given('FunctionName')}`
      if (Type === 'AWS::Logs::LogGroup') return `logs:eu-west-1:1:log-group:${given('LogGroupName')}:*`
      if (Type === 'AWS::IAM::Role')
        return `iam::1:role${given('Path')}${name.slice(0, 33)}-${logicalId}-1ABCDEFGHIJKL`
      return []
    })
    return [
      ...owned,
      `sqs:eu-west-1:1:${name}-run-20260101-000000-00000000`,
      `cloudformation:eu-west-1:1:stack/${name}/1`,
      `s3:::code/runs/${name}/0/checkpoint`,
    ].map((rest) => `arn:aws:${rest}`)
  }
  const isAllowed = (name: string, arn: string) =>
    statements
      .flatMap((statement) => patternsFor(name, statement))
      .some((pattern) => new RegExp(`^${pattern.split('*').map(RegExp.escape).join('.*')}$`).test(arn))

  test.each(['s3-71', 'x'.repeat(50)])('the rights for %s are on all that it has', (name) => {
    expect(ownedBy(name)).toHaveLength(12)
    expect(ownedBy(name).filter((arn) => !isAllowed(name, arn))).toEqual([])
  })

  test.each(['s3-71-teamb', 's3-71x', 's3-7', 's3-71-list', 'team'])(
    'and on nothing that %s has',
    (other) => {
      expect(ownedBy(other).filter((arn) => isAllowed('s3-71', arn))).toEqual([])
    },
  )

  test('each kind of queue is open for what the runner does with it, and no more, without the policy to deploy', () => {
    const run = roles.find((it) => 'PolicyName' in it && it.PolicyName === 'run')
    const actionsOn = (queue: string) =>
      (run ? statementsOf(run) : [])
        .filter((it) => patternsFor('s3-71', it).some((pattern) => pattern.includes(queue)))
        .flatMap(({ Action }) => Action)
        .sort()
    const tasks = ['sqs:GetQueueAttributes', 'sqs:SendMessage']
    expect(actionsOn(':s3-71-ListQueue-')).toEqual(tasks)
    expect(actionsOn(':s3-71-CopyQueue-')).toEqual(tasks)
    expect(actionsOn(':s3-71-DeadLetterQueue-')).toEqual([
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ])
    expect(actionsOn(':s3-71-run-')).toEqual([
      'sqs:CreateQueue',
      'sqs:DeleteMessage',
      'sqs:DeleteQueue',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ])
  })

  test('what names no stack is what docs/security.md speaks of', () => {
    expect(statements.filter((it) => patternsFor('s3-71', it).length === 0).map(({ Sid }) => Sid)).toEqual([
      'CopyObjects',
      'UseKeysThroughS3',
      'ExpandTemplate',
      'SeeOtherRuns',
      'SeeMappings',
      'SeeConcurrency',
      'MakeArtifactBucket',
      'StoreCode',
      'MissCheckpoints',
      'TagMappings',
      'SeeLogGroups',
      'SeeLogPolicies',
    ])
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

describe('the room for buckets that docs/permissions.md speaks of', () => {
  const page = readFileSync(join(ROOT, 'docs', 'permissions.md'), 'utf8')
  /** The two figures of a row of the table: for names of 63 characters, and for names of 25. */
  const figures = (row: string): Array<[number, number]> => {
    const [, long, short] = new RegExp(`^\\| ${row}.*?\\| (\\d+) .*?\\| (\\d+) `, 'm').exec(page) ?? []
    if (!long || !short) throw new Error(`the page has no row “${row}”`)
    return [
      [63, Number(long)],
      [25, Number(short)],
    ]
  }

  /** The template's policies as IAM counts them, when the stack's name is as long as it may be. */
  function policies(path: string, partition: string, parameters: Record<string, unknown>): string[] {
    const name = 'x'.repeat(50)
    const region = partition === 'aws' ? 'ap-northeast-1' : 'us-gov-east-1'
    const template = parseTemplate(readFileSync(join(ROOT, path), 'utf8'))
    const { Conditions = {}, Parameters = {} } = template
    const values: Record<string, unknown> = {
      'AWS::Partition': partition,
      'AWS::AccountId': '111122223333',
      'AWS::Region': region,
      'AWS::StackName': name,
      'AWS::NoValue': NO_VALUE,
      StackName: name,
      ...parameters,
    }
    const scope: Scope = {
      ref: (key) => {
        const { Type, Default } = Parameters[key] ?? {}
        return values[key] ?? (Type === 'CommaDelimitedList' ? [Default] : Default)
      },
      attribute: (id) =>
        id.endsWith('LogGroup')
          ? `arn:${partition}:logs:${region}:111122223333:log-group:/aws/lambda/${name}-list:*`
          : `arn:${partition}:sqs:${region}:111122223333:${name}-${id}-ABCDEFGHIJKL`,
      condition: (condition) => evaluate(Conditions[condition], scope) === true,
      mappings: {},
    }
    return Object.values((template as unknown as Template).Resources)
      .flatMap(({ Properties: it }) => (it.Policies ?? [it]).map(({ PolicyDocument }) => PolicyDocument))
      .filter((document) => document !== undefined)
      .map((document) => JSON.stringify(evaluate(document, scope)))
  }
  const buckets = (partition: string, length: number, count: number) =>
    Array.from({ length: count }, (_, at) => `arn:${partition}:s3:::${String(at).padStart(length, 'b')}`)
  const key = (partition: string) =>
    `arn:${partition}:kms:us-gov-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab`

  describe.each([
    ['aws', 1],
    ['aws-us-gov', 5 / 6],
  ])('in the partition %s', (partition, share) => {
    const inPartition = (row: string) =>
      figures(row).map(([length, count]) => buckets(partition, length, Math.floor(count * share)))

    test('is in the stack’s parameters', () => {
      for (const arns of inPartition('CloudFormation takes 4,096 bytes'))
        expect(arns.join(',').length).toBeLessThanOrEqual(4096)
    })

    test.each([
      ['IAM takes 10,240 characters', 'false'],
      ['the same with `acl` and `annotations: copy`', 'true'],
    ])('is in the functions’ roles: %s', (row, allowed) => {
      for (const arns of inPartition(row)) {
        const sizes = policies('template.yaml', partition, {
          SourceBucketArns: arns,
          DestinationBucketArns: arns,
          SourceKmsKeyArns: [key(partition)],
          DestinationKmsKeyArns: [key(partition)],
          AllowAcls: allowed,
          AllowAnnotations: allowed,
        }).map(({ length }) => length)
        expect(sizes).toHaveLength(5)
        expect(Math.max(...sizes)).toBeLessThanOrEqual(10_240)
      }
    })

    test('is in the boundary', () => {
      for (const arns of inPartition('and 6,144 for a boundary')) {
        const [boundary = ''] = policies('iam/workflow-role.yaml', partition, {
          BucketArns: arns,
          KmsKeyArns: [key(partition), key(partition)],
        })
        expect(boundary).toContain('UseKeysThroughS3')
        expect(boundary).not.toContain(':::*')
        expect(boundary.length).toBeLessThanOrEqual(6144)
      }
    })
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
    await afterRun('pause', { status: 'succeeded' }, clients, { name: STACK, outputs }, tools())
    await afterRun('delete', { status: 'succeeded' }, clients, { name: STACK, outputs }, tools())
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
    'logs:DescribeResourcePolicies',
    'logs:ListTagsForResource',
    'logs:TagResource',
    'logs:UntagResource',
  ],
}
