import { describe, expect, test } from '@jest/globals'
import { artifactBucketName } from '../../../src/stack/artifact.ts'
import { fingerprintOf, withCode } from '../../../src/stack/blueprint.ts'
import { permissionFor } from '../../../src/stack/permissions.ts'

describe('withCode', () => {
  const place = { bucket: 'artifacts', key: 'functions/1.zip' }

  test('puts the S3 location in place of the local folder', () => {
    expect(withCode('Globals:\n  CodeUri: dist/functions\nEnd: 1', place)).toBe(
      'Globals:\n  CodeUri: s3://artifacts/functions/1.zip\nEnd: 1',
    )
  })

  test.each([
    ['does not name the folder', 'Resources: {}'],
    ['names it twice', 'CodeUri: dist/functions\nCodeUri: dist/functions'],
    ['is larger than CloudFormation takes', `CodeUri: dist/functions\n${'ø'.repeat(26_000)}`],
  ])('refuses a template that %s', (_, template) => {
    expect(() => withCode(template, place)).toThrow(/template/)
  })
})

test('the fingerprint is another one for other code or another template, and the same for the same', () => {
  const fingerprint = fingerprintOf('a: 1', 'c0de')
  expect(fingerprint).toMatch(/^[0-9a-f]{32}$/)
  expect(fingerprintOf('a: 1', 'c0de')).toBe(fingerprint)
  expect(fingerprintOf('a: 2', 'c0de')).not.toBe(fingerprint)
  expect(fingerprintOf('a: 1', 'c0d3')).not.toBe(fingerprint)
})

test.each([
  ['eu-central-1', 's3-71-111122223333-eu-central-1-an'],
  ['ap-southeast-2', 's3-71-111122223333-ap-southeast-2-an'],
  ['me-south-1', 's3-71-111122223333-me-south-1'],
])('the artifact bucket of %s belongs to the account by its name: %s', (region, name) => {
  expect(artifactBucketName({ accountId: '111122223333', region })).toBe(name)
})

test.each([
  ['CloudFormationClient', 'DescribeStacksCommand', 'cloudformation:DescribeStacks'],
  ['LambdaClient', 'InvokeCommand', 'lambda:InvokeFunction'],
  ['S3Client', 'HeadBucketCommand', 's3:ListBucket'],
  ['SQSClient', 'SendMessageBatchCommand', 'sqs:SendMessage'],
])('%s’s %s takes the permission %s', (client, command, permission) => {
  expect(permissionFor(client, command)).toBe(permission)
})
