import { describe, expect, test } from '@jest/globals'
import { Blueprint } from '../../../local/cloudformation/blueprint.ts'
import { type GivenParameter, resolveParameters } from '../../../local/cloudformation/parameters.ts'
import { parseTemplate } from '../../../local/cloudformation/template.ts'

const TYPES = [
  ...['AWS::SQS::Queue', 'AWS::IAM::Role', 'AWS::Lambda::Function', 'AWS::Lambda::EventSourceMapping'],
]
const IDENTITY = { stackName: 'demo', stackId: 'arn:demo', region: 'eu-west-1' }

function blueprint(body: string, parameters: Record<string, string> = {}): Blueprint {
  const given = Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
    ParameterKey,
    ParameterValue,
  }))
  return new Blueprint(body, resolveParameters(parseTemplate(body), given), IDENTITY, TYPES)
}

const SERVERLESS = `
Transform: AWS::Serverless-2016-10-31
Parameters:
  Most: { Type: Number, Default: 5, MinValue: 2 }
  WithRole: { Type: String, Default: 'yes' }
Conditions:
  HasRole: !Equals [!Ref WithRole, 'yes']
Globals:
  Function:
    CodeUri: s3://bucket/code.zip
    Timeout: 30
    Environment: { Variables: { SHARED: s } }
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      Timeout: 60
      Environment: { Variables: { OWN: !Ref Queue } }
      Events:
        Tasks:
          Type: SQS
          Properties: { Queue: !GetAtt Queue.Arn, BatchSize: 1, ScalingConfig: { MaximumConcurrency: !Ref Most } }
  Queue:
    Type: AWS::SQS::Queue
    DependsOn: Extra
  Extra:
    Type: AWS::IAM::Role
    Condition: HasRole
Outputs:
  Url: { Value: !Sub '\${Queue}@\${AWS::Region}' }
  Role: { Value: !GetAtt Extra.Arn, Condition: HasRole }
`

describe('a serverless function', () => {
  const resources = new Map(
    ['Queue', 'Extra', 'Worker', 'WorkerRole'].map((id) => [
      id,
      { physicalId: `${id}-1`, attributes: { Arn: `arn:${id}` } },
    ]),
  )

  test('becomes a function, a mapping and a role, which come after what they refer to', () => {
    const { order } = blueprint(SERVERLESS)
    expect(new Set(order)).toEqual(new Set(['Extra', 'Queue', 'WorkerRole', 'Worker', 'WorkerTasks']))
    const at = (id: string) => order.indexOf(id)
    expect(at('Extra')).toBeLessThan(at('Queue'))
    expect(at('Queue')).toBeLessThan(at('Worker'))
    expect(at('WorkerRole')).toBeLessThan(at('Worker'))
    expect(at('Worker')).toBeLessThan(at('WorkerTasks'))
  })

  test('takes what Globals say, and its own where both speak', () => {
    expect(blueprint(SERVERLESS).properties('Worker', resources)).toEqual({
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Timeout: 60,
      Environment: { Variables: { SHARED: 's', OWN: 'Queue-1' } },
      Code: { S3Bucket: 'bucket', S3Key: 'code.zip' },
      Role: 'arn:WorkerRole',
    })
  })

  test('hands its event to the mapping', () => {
    expect(blueprint(SERVERLESS, { Most: '9' }).properties('WorkerTasks', resources)).toEqual({
      EventSourceArn: 'arn:Queue',
      FunctionName: 'Worker-1',
      BatchSize: 1,
      ScalingConfig: { MaximumConcurrency: '9' },
    })
  })

  test.each([
    ['code that is not in S3', 's3://bucket/code.zip', 'dist/functions', /not a valid S3 Uri/],
    ['an unknown property', 'Timeout: 60', 'Timeuot: 60', /Timeuot/],
    ['an unknown event', 'Type: SQS\n', 'Type: SNS\n', /SNS/],
    ['an unknown event property', 'BatchSize: 1', 'BatchSise: 1', /BatchSise/],
  ])('with %s is refused by name', (_, from, to, message) => {
    expect(() => blueprint(SERVERLESS.replace(from, to))).toThrow(message)
  })
})

test('outputs and resources whose condition does not hold are left out', () => {
  const resources = new Map([['Queue', { physicalId: 'q', attributes: {} }]])
  const without = blueprint(SERVERLESS, { WithRole: 'no' })
  expect(without.order).not.toContain('Extra')
  expect(without.outputs(resources)).toEqual([{ key: 'Url', value: 'q@eu-west-1' }])
})

describe('a template is refused', () => {
  test.each([
    ['that is no YAML', 'Resources: [', /Template format error/],
    ['without resources', 'Outputs: {}', /Resources/],
    ['with an unknown type', 'Resources: { A: { Type: "AWS::S3::Bucket" } }', /AWS::S3::Bucket/],
    [
      'with a dangling reference',
      'Resources: { A: { Type: "AWS::SQS::Queue", Properties: { QueueName: !Ref B } } }',
      /\[B\]/,
    ],
    [
      'with a circle',
      `Resources:
        A: { Type: AWS::SQS::Queue, Properties: { QueueName: !Ref B } }
        B: { Type: AWS::SQS::Queue, Properties: { QueueName: !Ref A } }`,
      /Circular dependency/,
    ],
    [
      'with a condition that is not there',
      'Resources: { A: { Type: "AWS::SQS::Queue", Condition: Never } }',
      /condition dependency Never/,
    ],
  ])('%s', (_, body, message) => {
    expect(() => blueprint(body)).toThrow(message)
  })
})

describe('parameters', () => {
  const template = parseTemplate(`
Parameters:
  Plain: { Type: String }
  Picked: { Type: String, Default: a, AllowedValues: [a, b] }
  Many: { Type: CommaDelimitedList, Default: 'x, y', AllowedPattern: '[a-z]+' }
  Size: { Type: Number, Default: 3, MinValue: 2, MaxValue: 9, ConstraintDescription: must be 2 to 9 }
Resources: { A: { Type: AWS::SQS::Queue } }
`)
  const given = (values: Record<string, string>): GivenParameter[] =>
    Object.entries({ Plain: 'p', ...values }).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    }))

  test('are given, kept or taken from their defaults', () => {
    const previous = new Map([['Picked', 'b']])
    const kept = [...given({ Size: '4' }), { ParameterKey: 'Picked', UsePreviousValue: 'true' }]
    expect(Object.fromEntries(resolveParameters(template, kept, previous))).toEqual({
      Plain: 'p',
      Picked: 'b',
      Many: 'x, y',
      Size: '4',
    })
  })

  test.each([
    [{ Odd: '1' }, /\[Odd\] do not exist/],
    [{ Picked: 'c' }, /'Picked' failed to satisfy constraint/],
    [{ Many: 'x,9' }, /'Many'/],
    [{ Size: '10' }, /'Size' failed to satisfy constraint: must be 2 to 9/],
    [{ Size: 'big' }, /'Size'/],
  ])('%j are refused', (values, message) => {
    expect(() => resolveParameters(template, given(values))).toThrow(message)
  })

  test('without a value are named', () => {
    expect(() => resolveParameters(template, [])).toThrow('Parameters: [Plain] must have values')
  })
})
