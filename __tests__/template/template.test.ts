import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { evaluate, NO_VALUE, type Scope } from '../../local/cloudformation/intrinsics.ts'
import { parseTemplate, type Template } from '../../local/cloudformation/template.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import { TEMPLATE_BYTES, withCode } from '../../src/stack/blueprint.ts'
import { PARAMETERS } from '../../src/stack/parameters.ts'
import { VERSION } from '../../src/stack/version.ts'
import { describeWithPython, python, transformed } from './python.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const text = readFileSync(join(ROOT, 'template.yaml'), 'utf8')
const packaged = withCode(text, { bucket: 'a'.repeat(63), key: `functions/${'f'.repeat(64)}.zip` })

type Resource = { Type: string; Properties: Record<string, unknown> }
/** The template without its intrinsic functions: their tags are dropped, their arguments stay. */
const template = parse(text, { logLevel: 'silent' }) as {
  Parameters: Record<string, { Description: string }>
  Metadata: Record<string, { ParameterGroups: Array<{ Parameters: string[] }>; ParameterLabels: object }>
  Resources: Record<string, Resource>
  Outputs: Record<string, { Value: unknown; Description: string }>
}

test('there is room left in the template for the longest bucket name', () => {
  expect(Buffer.byteLength(packaged)).toBeLessThan(TEMPLATE_BYTES / 2)
})

test('the template is of the version of the action and of the package', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  expect(template.Outputs.Version?.Value).toBe(VERSION)
  expect(version).toBe(VERSION)
  expect(template.Outputs.Protocol?.Value).toBe(String(PROTOCOL))
})

test('each parameter is one that the action knows, is described, and has its place in the console', () => {
  const { ParameterGroups, ParameterLabels } =
    template.Metadata['AWS::CloudFormation::Interface'] ?? raise('no Interface')
  const names = Object.keys(template.Parameters).sort()
  expect(names).toEqual([...PARAMETERS].sort())
  expect(ParameterGroups.flatMap((group) => group.Parameters).sort()).toEqual(names)
  expect(Object.keys(ParameterLabels).sort()).toEqual(names)
  for (const { Description } of Object.values(template.Parameters)) expect(Description).toMatch(/\w{3}/)
})

test.each([
  ['eu-west-1', 'Allow'],
  ['cn-north-1', 'Allow'],
  ['us-gov-west-1', undefined],
  ['mx-central-1', undefined],
  ['ap-southeast-6', undefined],
])('in %s, RecursiveLoop is %s: some regions may not know it', (region, expected) => {
  const { Conditions = {}, Globals } = parseTemplate(text) as Template & {
    Globals: { Function: { RecursiveLoop: unknown } }
  }
  const partition = region.startsWith('us-gov') ? 'aws-us-gov' : 'aws'
  const scope: Scope = {
    ref: (name) => ({ 'AWS::NoValue': NO_VALUE, 'AWS::Partition': partition })[name] ?? region,
    attribute: () => undefined,
    condition: (name) => evaluate(Conditions[name], scope) === true,
    mappings: {},
  }
  expect(evaluate({ Loop: Globals.Function.RecursiveLoop }, scope)).toEqual(
    expected ? { Loop: expected } : {},
  )
})

describeWithPython('AWS’s own tools', ['cfnlint', 'samtranslator'], () => {
  test.each(['template.yaml', 'iam/workflow-role.yaml'])(
    'cfn-lint finds nothing in %s',
    (path) => {
      const { stdout, stderr, status } = python([
        '-c',
        'from cfnlint.runner import main; main()',
        join(ROOT, path),
      ])
      expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 })
    },
    60_000,
  )

  describe('the SAM translator', () => {
    const { Resources } = transformed(packaged) as { Resources: Record<string, Resource> }
    const byType = (type: string) => Object.values(Resources).filter(({ Type }) => Type === type)

    test('makes of it the functions and mappings, and no role or permission of its own', () => {
      const types = Object.values(Resources).map(({ Type }) => Type)
      const counts = Object.fromEntries([...new Set(types)].map((type) => [type, byType(type).length]))
      expect(counts).toEqual({
        'AWS::SQS::Queue': 3,
        'AWS::SQS::QueuePolicy': 3,
        'AWS::Lambda::Function': 2,
        'AWS::Lambda::EventSourceMapping': 2,
        'AWS::IAM::Role': 2,
        'AWS::Logs::LogGroup': 2,
      })
    })

    test('leaves RecursiveLoop, runtime, processor, timeout and log format as they are', () => {
      for (const { Properties } of byType('AWS::Lambda::Function'))
        expect(Properties).toMatchObject({
          RecursiveLoop: { 'Fn::If': ['HasLoopDetection', 'Allow', { Ref: 'AWS::NoValue' }] },
          Runtime: 'nodejs24.x',
          Architectures: ['arm64'],
          LoggingConfig: { LogFormat: 'JSON' },
          Code: { S3Bucket: 'a'.repeat(63) },
        })
    })

    test('gives each mapping one message at a time, partial answers and a limit, and leaves it to us when it is enabled', () => {
      for (const { Properties } of byType('AWS::Lambda::EventSourceMapping')) {
        expect(Properties).toMatchObject({
          BatchSize: 1,
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ScalingConfig: { MaximumConcurrency: { Ref: expect.stringMatching(/MaxConcurrency$/) } },
        })
        expect(Properties).not.toHaveProperty('Enabled')
      }
    })

    test('a queue hides a message for at least as long as its function may take', () => {
      const timeouts = byType('AWS::Lambda::Function').map(({ Properties }) => Properties.Timeout as number)
      for (const { Properties } of byType('AWS::SQS::Queue').filter(
        ({ Properties }) => Properties.RedrivePolicy,
      ))
        expect(Properties.VisibilityTimeout).toBeGreaterThanOrEqual(Math.max(...timeouts))
    })

    test('no role may do anything to every resource of a kind, nor any action of a service', () => {
      for (const { Properties } of byType('AWS::IAM::Role')) {
        const policies = JSON.stringify(Properties.Policies)
        expect(policies).not.toMatch(/"Resource":\[?"\*"|"Action":\[?"\w+:\*"|:::\*/)
      }
    })
  })

  test('a boundary and keys that are not given leave nothing behind', () => {
    const text = JSON.stringify(transformed(packaged))
    expect(text).toContain(
      '{"Fn::If":["HasPermissionsBoundary",{"Ref":"PermissionsBoundaryArn"},{"Ref":"AWS::NoValue"}]}',
    )
  })
})

function raise(message: string): never {
  throw new Error(message)
}
