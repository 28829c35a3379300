import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { UserError } from '../../src/errors.ts'
import { readInputs } from '../../src/inputs.ts'

const { inputs: declared } = parse(readFileSync('action.yml', 'utf8')) as {
  inputs: Record<string, { default?: string }>
}

/** Sets INPUT_ variables as the runner does: the defaults of action.yml, and what the workflow gives. */
function given(inputs: Record<string, string>): void {
  for (const [name, { default: fallback = '' }] of Object.entries(declared))
    process.env[`INPUT_${name.toUpperCase()}`] = inputs[name] ?? fallback
}

const before = { ...process.env }
beforeEach(() => {
  process.env.AWS_REGION = 'eu-west-1'
})
afterEach(() => {
  process.env = { ...before }
})

const places = { source: 's3://from/a/', destination: 's3://there/b/' }

function problems(inputs: Record<string, string>): string {
  given({ ...places, ...inputs })
  try {
    readInputs()
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as Error).message
  }
  return ''
}

describe('good inputs', () => {
  test('the defaults of action.yml are valid and do what they say', () => {
    given(places)
    expect(readInputs()).toEqual({
      mode: 'copy',
      source: { bucket: 'from', prefix: 'a/' },
      destination: { bucket: 'there', prefix: 'b/' },
      stackName: 's3-71',
      region: 'eu-west-1',
      prefixes: [],
      batchSize: 250,
      maxConcurrency: 50,
      pollSeconds: 10,
      timeoutMinutes: 350,
      wait: true,
      runKey: undefined,
      failOnError: true,
      maxFailures: { percent: 50 },
      deploy: 'auto',
      afterRun: 'pause',
      artifactBucket: undefined,
      sourceKmsKey: undefined,
      destinationKmsKey: undefined,
      permissionsBoundary: undefined,
      stackTags: {},
      options: {},
    })
  })

  test.each([
    ['s3://bucket', ''],
    ['s3://bucket/', ''],
    ['s3://bucket//', '/'],
    ['s3://bucket/a b+c%20/日', 'a b+c%20/日'],
    ['s3://bucket/../x', '../x'],
  ])('%s has the prefix %j', (source, prefix) => {
    given({ ...places, source })
    expect(readInputs().source).toEqual({ bucket: 'bucket', prefix })
  })

  test('prefixes are lines, with their spaces', () => {
    given({ ...places, prefixes: '2023/\n 2024/ \r\n\n2025/' })
    expect(readInputs().prefixes).toEqual(['2023/', ' 2024/ ', '2025/'])
  })

  test('a place may end with a space, and may have been written on lines of its own', () => {
    given({ source: 's3://from/dir ', destination: '\n  s3://there/b/\r\n  ' })
    expect(readInputs()).toMatchObject({ source: { prefix: 'dir ' }, destination: { prefix: 'b/' } })
    given({ source: 's3://from/dir \n', destination: 's3://there \t' })
    expect(readInputs()).toMatchObject({ source: { prefix: 'dir ' }, destination: { bucket: 'there' } })
  })

  test('a neighbour whose name begins alike is not inside', () => {
    expect(problems({ source: 's3://one/a/', destination: 's3://one/ab/' })).toBe('')
    expect(problems({ source: 's3://one/a/', destination: 's3://one/' })).toBe('')
  })

  test('tags of the stack are lines of name=value', () => {
    given({ ...places, 'stack-tags': 'team=data\ncost-center = 7=x \n' })
    expect(readInputs().stackTags).toEqual({ team: 'data', 'cost-center': '7=x' })
  })

  test('what belongs to objects: only what is not the default travels', () => {
    const key = 'arn:aws:kms:eu-central-1:111122223333:key/abc'
    given({
      ...places,
      tags: 'skip',
      annotations: 'copy',
      'website-redirects': 'copy',
      'storage-class': 'GLACIER_IR',
      sse: 'aws:kms',
      'destination-kms-key': key,
      acl: 'bucket-owner-full-control',
      overwrite: 'never',
      'if-changed': 'fail',
      archived: 'skip',
      'request-payer': 'requester',
      'source-owner': '111122223333',
      'destination-owner': '444455556666',
    })
    expect(readInputs().options).toEqual({
      tags: 'skip',
      annotations: 'copy',
      websiteRedirects: 'copy',
      storageClass: 'GLACIER_IR',
      sse: 'aws:kms',
      sseKmsKey: key,
      acl: 'bucket-owner-full-control',
      overwrite: 'never',
      ifChanged: 'fail',
      archived: 'skip',
      requestPayer: 'requester',
      sourceOwner: '111122223333',
      destinationOwner: '444455556666',
    })
  })

  test('region comes before AWS_REGION', () => {
    given({ ...places, region: 'us-gov-west-1' })
    expect(readInputs().region).toBe('us-gov-west-1')
  })
})

describe('problems', () => {
  test.each([
    [{ source: '' }, /source: "" must be s3:/],
    [{ source: 'from/a' }, /source: "from\/a" must be s3:/],
    [{ source: 's3://' }, /source: "" is not a bucket name/],
    [{ source: 's3://Upper' }, /source: "Upper" is not a bucket name/],
    [{ source: 's3://a..b' }, /is not a bucket name/],
    [{ source: 's3://192.168.0.1' }, /is not a bucket name .*no IP address/],
    [{ source: 's3://xn--foo' }, /is not a bucket name .*not beginning with xn--/],
    [{ source: 's3://point-abc123-s3alias/a/' }, /is an access point\. Use its bucket instead/],
    [{ destination: 's3://lambda-abc123--ol-s3' }, /is an access point/],
    [{ destination: 's3://abc123.mrap' }, /is an access point/],
    [{ source: 's3://express--use1-az4--x-s3' }, /directory bucket/],
    [{ destination: 's3://point--use1-az4--xa-s3/a/' }, /directory bucket/],
    [{ destination: `s3://there/${'é'.repeat(513)}` }, /destination: the prefix is longer/],
    [{ destination: 's3://from/a/' }, /is the same as the source/],
    [{ destination: 's3://from/a/copy/' }, /lies inside the source/],
    [{ source: 's3://from', destination: 's3://from/backup/' }, /lies inside the source/],
    [{ source: 's3://from', destination: 's3://from/backup/', prefixes: 'a/' }, /lies inside the source/],
    [{ prefixes: 'b\na\nab' }, /"ab" lies within "a"/],
    [{ prefixes: 'a\na' }, /"a" lies within "a"/],
    [{ prefixes: 'a', mode: 'redrive' }, /prefixes: not allowed with `mode: redrive`/],
    [{ prefixes: 'x'.repeat(1023) }, /longer than a key/],
    [{ 'batch-size': '0' }, /batch-size: "0" must be a whole number from 1 to 1000/],
    [{ 'batch-size': '1e2' }, /batch-size/],
    [{ 'max-concurrency': '1' }, /max-concurrency: "1" must be a whole number from 2 to 1000/],
    [{ 'poll-interval': '301' }, /poll-interval/],
    [{ timeout: '-5' }, /timeout/],
    [{ wait: 'yes' }, /wait: "yes" must be true or false/],
    [{ 'run-key': 'a\nb' }, /run-key: .* is not a single line of at most 256 characters/],
    [{ 'max-failures': '101%' }, /max-failures: "101%" must be a number of objects, such as 100, or a share/],
    [{ 'max-failures': '1.5' }, /max-failures: "1.5" must be/],
    [{ 'fail-on-error': 'maybe' }, /fail-on-error: "maybe" must be true or false/],
    [{ 'stack-name': '1st' }, /stack-name/],
    [{ 'stack-name': 'x'.repeat(51) }, /stack-name/],
    [{ deploy: 'yes' }, /deploy: "yes" must be one of auto, never/],
    [{ 'after-run': 'stop' }, /after-run: "stop" must be one of pause, keep, delete/],
    [{ 'artifact-bucket': 'No' }, /artifact-bucket: "No" is not the name of a bucket/],
    [{ 'source-kms-key': 'alias/mine' }, /source-kms-key: "alias\/mine" is not the ARN of a KMS key/],
    [{ 'permissions-boundary': 'x' }, /permissions-boundary: "x" is not the ARN of an IAM policy/],
    [{ 'stack-tags': 'team' }, /stack-tags: "team" must be name=value/],
    [{ 'stack-tags': 'aws:x=y' }, /must not begin with aws:/],
    [{ tags: 'team=data' }, /tags: "team=data" must be one of copy, skip/],
    [{ 'storage-class': 'COLD' }, /storage-class: "COLD" must be one of preserve, STANDARD,/],
    [{ sse: 'kms' }, /sse: "kms" must be empty or one of AES256, aws:kms, aws:kms:dsse/],
    [{ acl: 'open' }, /acl: "open" must be empty or one of private,/],
    [{ overwrite: 'newer' }, /overwrite: "newer" must be one of always, never, if-newer/],
    [{ 'request-payer': 'me' }, /request-payer: "me" must be empty or one of requester/],
    [{ 'source-owner': '123' }, /source-owner: "123" is not an account ID/],
    [{ region: 'Frankfurt' }, /region: "Frankfurt"/],
  ])('%j', (inputs, message) => {
    expect(problems(inputs as Record<string, string>)).toMatch(message)
  })

  test('no region anywhere', () => {
    delete process.env.AWS_REGION
    delete process.env.AWS_DEFAULT_REGION
    expect(problems({})).toMatch(/region: not given/)
  })

  test('all of them are told at once', () => {
    const text = problems({ source: 'x', destination: 'y', 'batch-size': '', timeout: '0', prefixes: 'a\na' })
    expect(text).toMatch(/^5 inputs are invalid\. Nothing was changed\.\n/)
    expect(text.split('\n')).toHaveLength(6)
  })

  test('what is shown of an input can’t be a workflow command', () => {
    expect(problems({ source: 's3://x\n::error::gotcha' })).not.toMatch(/^::|\n::/)
  })
})

describe('what is likely to be meant otherwise', () => {
  /** What the log says of inputs that are valid. */
  function said(inputs: Record<string, string>): string {
    const lines: string[] = []
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
      lines.push(String(line))
      return true
    })
    try {
      expect(problems(inputs)).toBe('')
    } finally {
      write.mockRestore()
    }
    return lines.join('')
  }

  test.each([
    [
      { source: 's3://from/2024/', destination: 's3://there/archive' },
      's3://from/2024/a.jpg becomes s3://there/archivea.jpg',
    ],
    [
      { source: 's3://from', destination: 's3://there/archive' },
      's3://from/a.jpg becomes s3://there/archivea.jpg',
    ],
    [
      { source: 's3://from/2024', destination: 's3://there/x/' },
      's3://from/2024/a.jpg becomes s3://there/x//a.jpg',
    ],
    [
      { source: 's3://from/2024', destination: 's3://there' },
      's3://from/2024/a.jpg becomes s3://there//a.jpg',
    ],
  ])('a slash that is missing: %o', (inputs, warning) => {
    expect(said(inputs)).toContain(`::warning::destination: ${warning},`)
  })

  test.each([
    { source: 's3://from', destination: 's3://there' },
    { source: 's3://from/a/', destination: 's3://there' },
    { source: 's3://from', destination: 's3://there/b/' },
    { source: 's3://from/logs-2024', destination: 's3://there/old-2024' },
  ])('no slash is missing: %o', (inputs) => {
    expect(said(inputs)).toBe('')
  })

  test('a star', () => {
    expect(said({ source: 's3://from/a/*', destination: 's3://there/b' })).toMatch(
      /^::warning::source: .*`\*`/,
    )
    expect(said({ prefixes: 'x/\ny*\n' })).toMatch(/^::warning::prefixes: .*`\*`/)
  })

  test('several places in one input are refused', () => {
    expect(problems({ source: 's3://from/a/\ns3://other/b/\n' })).toMatch(/- source: has more than one line/)
  })

  test('a key that the encryption does not take is refused', () => {
    const key = 'arn:aws:kms:eu-west-1:123456789012:key/k'
    expect(problems({ sse: 'AES256', 'destination-kms-key': key })).toMatch(
      /- destination-kms-key: not allowed with/,
    )
    expect(problems({ sse: 'aws:kms', 'destination-kms-key': key })).toBe('')
  })
})
