import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Aws, startAws } from '../../local/index.ts'
import { isRunning, until } from './support.ts'

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Parameters: { Greeting: { Type: String } }
Globals: { Function: { CodeUri: dist, Runtime: nodejs24.x } }
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub \${AWS::StackName}-hello
      Handler: hello/index.handler
      Environment: { Variables: { GREETING: !Ref Greeting } }
Outputs:
  Name: { Value: !Ref Hello }
`

let aws: Aws
let folder: string
let template: string

beforeAll(async () => {
  aws = await startAws({ region: 'eu-west-1' })
  folder = mkdtempSync(join(tmpdir(), 'template-'))
  template = join(folder, 'template.yaml')
  writeFileSync(template, TEMPLATE)
  mkdirSync(join(folder, 'dist', 'hello'), { recursive: true })
  writeFileSync(
    join(folder, 'dist', 'hello', 'index.mjs'),
    "export const handler = async ({ name }) => process.env.GREETING + ' ' + name",
  )
})
afterAll(async () => {
  await aws.stop()
  rmSync(folder, { recursive: true })
})

describe('deploy', () => {
  test('packs the code beside the template and gives the outputs', async () => {
    const outputs = await aws.deploy({ stackName: 'greeter', template, parameters: { Greeting: 'moin' } })
    expect(outputs).toEqual({ Name: 'greeter-hello' })
    expect(await aws.lambda.invoke('greeter-hello', '{"name":"du"}')).toMatchObject({ payload: '"moin du"' })
  })

  test('says which resource failed and why', async () => {
    const broken = join(folder, 'broken.yaml')
    writeFileSync(broken, TEMPLATE.replace('Handler:', 'MemorySize: 1\n      Handler:'))
    await expect(
      aws.deploy({ stackName: 'broken', template: broken, parameters: { Greeting: 'x' } }),
    ).rejects.toThrow(
      'The stack broken is ROLLBACK_COMPLETE: Hello: MemorySize must be 128 to 10240 MB, not 1',
    )
  })

  test('fails when the code is not there', async () => {
    const lost = join(folder, 'lost.yaml')
    writeFileSync(lost, TEMPLATE.replace('CodeUri: dist', 'CodeUri: nowhere'))
    await expect(
      aws.deploy({ stackName: 'lost', template: lost, parameters: { Greeting: 'x' } }),
    ).rejects.toThrow(/nowhere/)
  })
})

test('STS says who is calling', async () => {
  const response = await fetch(aws.url, {
    method: 'POST',
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20261123/eu-west-1/sts/aws4_request, Signature=0',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  })
  expect(response.status).toBe(200)
  expect(await response.text()).toContain('<Account>000000000000</Account>')
})

test('a service that is not there is named', async () => {
  const response = await fetch(aws.url, {
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20261123/eu-west-1/ec2/aws4_request, Signature=0',
    },
  })
  expect(response.status).toBe(501)
  expect(await response.text()).toContain('ec2')
})

test('no instance outlives a process that is killed', async () => {
  const script = `
    import { startAws } from '${new URL('../../local/index.ts', import.meta.url).href}'
    const aws = await startAws()
    await aws.deploy({ stackName: 'a', template: ${JSON.stringify(template)}, parameters: { Greeting: 'x' } })
    await aws.lambda.invoke('a-hello', '{}')
    console.log(aws.lambda.pids('a-hello').idle[0])`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // What it cannot tidy up goes with this test's folder.
    env: { ...process.env, TMPDIR: folder },
  })
  const [line] = (await once(createInterface(parent.stdout), 'line')) as [string]
  const pid = Number(line)
  expect(isRunning(pid)).toBe(true)
  parent.kill('SIGKILL')
  await until('the instance is gone', () => !isRunning(pid))
})
