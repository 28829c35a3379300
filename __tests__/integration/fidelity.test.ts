import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { runStep, type StepResult } from '../../local/runner.ts'
import { Content } from '../../local/s3/index.ts'
import { ON_STACK, startStack, type TestStack } from './support.ts'

jest.setTimeout(300_000)

const GIB = 1024 ** 3
const ABOUT = ['all', 'rights', 'acl', 'again', 'gone', 'region', 'payer', 'owner', 'archive']
let stack: TestStack
beforeAll(async () => {
  stack = await startStack(ABOUT.flatMap((about) => [`from-${about}`, `to-${about}`]))
})
afterAll(async () => {
  await stack.stop()
})

/** Runs the action between the buckets of a test. */
async function copy(about: string, more: Record<string, string> = {}): Promise<StepResult> {
  const inputs = {
    source: `s3://from-${about}`,
    destination: `s3://to-${about}`,
    ...ON_STACK,
    ...more,
  }
  return await runStep({ inputs, env: stack.env })
}

/** A small and a large object with tags, as a bucket. */
function tagged(about: string): void {
  stack.bucket(`from-${about}`)
  stack.bucket(`to-${about}`)
  const tags = new Map([['team', 'data']])
  stack.store.put(`from-${about}`, 'small', 'x', { tags })
  stack.store.put(`from-${about}`, 'large', Content.sparse(6 * GIB), { tags })
}
const tagsOf = (about: string) =>
  ['small', 'large'].map((key) => stack.store.get(`to-${about}`, key)?.tags.size)

test('what belongs to objects goes along, and the report says of how many', async () => {
  stack.bucket('from-all')
  stack.bucket('to-all')
  const headers = new Map([['content-type', 'text/x-test']])
  const tags = new Map([['team', 'data']])
  for (const [key, size] of [
    ['small', 10],
    ['large', 6 * GIB],
  ] as const)
    stack.store.put('from-all', key, Content.sparse(size), { headers, tags, storageClass: 'STANDARD_IA' })
  stack.store.put('from-all', 'cold', 'x', { headers, tags, storageClass: 'GLACIER_IR' })
  const step = await copy('all', { 'storage-class': 'STANDARD_IA' })

  expect(step.exitCode).toBe(0)
  expect(step.outputs).toMatchObject({ listed: '3', copied: '3', bytes: String(6 * GIB + 11) })
  for (const key of ['small', 'large', 'cold'])
    expect(stack.store.get('to-all', key)).toMatchObject({ headers, tags, storageClass: 'STANDARD_IA' })
  expect(step.log).toContain(
    'Properties of the copies: kept: metadata, tags; set anew: storage class of 1 (to STANDARD_IA), encryption (the destination bucket’s default), acl (private); left out: annotations, website redirects, object lock, older versions',
  )
  expect(step.summary).toContain('| Storage class | 2 | 1 |  | to STANDARD_IA |')
})

describe('a role that', () => {
  test('may not read tags is found out before the first object, and tags can be left behind', async () => {
    tagged('rights')
    const allow = stack.store.deny({ action: 's3:GetObjectTagging' })
    const refused = await copy('rights')
    expect(refused.exitCode).toBe(1)
    expect(refused.log).toMatch(/can’t serve this run\. Nothing was sent/)
    expect(refused.log).toMatch(/can't read the tags of .*s3:GetObjectTagging, or set `tags: skip`/)
    expect(stack.keys('to-rights')).toEqual([])

    const step = await copy('rights', { tags: 'skip' })
    allow()
    expect(step.exitCode).toBe(0)
    expect(step.outputs).toMatchObject({ copied: '2', failed: '0' })
    expect(tagsOf('rights')).toEqual([0, 0])
    expect(step.summary).toContain('| Tags |  |  | 2 | tags: skip |')
  })

  test('may not set tags is found out as well', async () => {
    const allow = stack.store.deny({ action: 's3:PutObjectTagging' })
    const refused = await copy('rights')
    expect(refused.log).toMatch(/can't set tags in s3:\/\/to-rights .*\. Allow its role s3:PutObjectTagging/)
    allow()
    expect((await copy('rights')).outputs).toMatchObject({ copied: '2', failed: '0' })
    expect(tagsOf('rights')).toEqual([1, 1])
    expect(stack.store.bucket('to-rights').uploads.size).toBe(0)
  })
})

test('a right that the stack lacks for an input is named before the first object', async () => {
  tagged('acl')
  const refused = await copy('acl', { acl: 'public-read' })
  expect(refused.exitCode).toBe(1)
  expect(refused.log).toMatch(/`deploy` is `never`.*: set AllowAcls to true\./)
  expect(stack.keys('to-acl')).toEqual([])
})

test('a second run copies only what is missing or newer', async () => {
  stack.bucket('from-again', ['a', 'b', 'c', 'd'])
  stack.bucket('to-again', ['kept'])
  const first = await copy('again', { overwrite: 'if-newer' })
  expect(first.outputs).toMatchObject({ listed: '4', copied: '4', skipped: '0' })
  stack.store.put('from-again', 'b', 'newer and longer', { lastModified: Date.now() + 5_000 })
  stack.store.bucket('to-again').objects.delete('c')
  const second = await copy('again', { overwrite: 'if-newer' })
  expect(second.outputs).toMatchObject({ listed: '4', copied: '2', skipped: '2', failed: '0' })
  stack.store.put('from-again', 'e', 'new')
  const third = await copy('again', { overwrite: 'never' })
  expect(third.outputs).toMatchObject({ listed: '5', copied: '1', skipped: '4', failed: '0' })
})

test('what is deleted while the run goes on has vanished, and that is no failure', async () => {
  stack.bucket('from-gone', ['a', 'b'])
  stack.bucket('to-gone')
  stack.store.put('from-gone', 'large', Content.sparse(2 * GIB))
  stack.intercept(({ operation, bucket, key }) => {
    const copiesSmall = operation === 'CopyObject' && bucket === 'to-gone' && key === 'b'
    const readsLarge = operation === 'HeadObject' && bucket === 'from-gone' && key === 'large'
    if (copiesSmall || readsLarge) stack.store.bucket('from-gone').objects.delete(key)
    return undefined
  })
  const step = await copy('gone')
  stack.intercept(() => undefined)
  expect(step.exitCode).toBe(0)
  expect(step.outputs).toMatchObject({ listed: '3', copied: '1', vanished: '2', failed: '0' })
  expect(step.summary).toContain('| Vanished after they were listed | **2** |')
})

test('buckets in three regions: each call finds its own', async () => {
  stack.store.createBucket('from-region', { region: 'eu-west-1' })
  stack.store.createBucket('to-region', { region: 'ap-southeast-2' })
  stack.store.put('from-region', 'small', 'x')
  stack.store.put('from-region', 'large', Content.sparse(2 * GIB))
  const step = await copy('region')
  expect(step.exitCode).toBe(0)
  expect(step.outputs).toMatchObject({ listed: '2', copied: '2' })
})

test('buckets for which the requester pays', async () => {
  for (const side of ['from', 'to']) stack.store.createBucket(`${side}-payer`, { requesterPays: true })
  stack.store.put('from-payer', 'small', 'x')
  stack.store.put('from-payer', 'large', Content.sparse(2 * GIB))
  const refused = await copy('payer')
  expect(refused.exitCode).toBe(1)
  expect(refused.log).toMatch(/can’t serve this run/)
  const step = await copy('payer', { 'request-payer': 'requester' })
  expect(step.outputs).toMatchObject({ listed: '2', copied: '2', failed: '0' })
})

test('a bucket that is not whose it has to be is refused before the first object', async () => {
  stack.bucket('from-owner', ['a'])
  stack.bucket('to-owner')
  const refused = await copy('owner', { 'destination-owner': '999999999999' })
  expect(refused.exitCode).toBe(1)
  expect(refused.log).toMatch(/can't write to s3:\/\/to-owner: AccessDenied/)
})

test('archived objects are skipped where that is asked for', async () => {
  stack.bucket('from-archive', ['a'])
  stack.bucket('to-archive')
  stack.store.put('from-archive', 'cold', 'x', { storageClass: 'DEEP_ARCHIVE' })
  const step = await copy('archive', { archived: 'skip' })
  expect(step.exitCode).toBe(0)
  expect(step.outputs).toMatchObject({ listed: '2', copied: '1', skipped: '1', failed: '0' })
})
