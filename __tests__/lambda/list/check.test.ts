import { expect, test } from '@jest/globals'
import { check } from '../../../lambda/list/check.ts'
import { type ListAnswer, type ListRequest, S3Error } from '../../../lambda/s3/index.ts'

const places = { source: { bucket: 'from', prefix: '' }, destination: { bucket: 'to', prefix: 'x/' } }

/** An S3 that lists only what begins like one of these. */
function s3(...allowed: string[]) {
  return {
    listObjectsV2: async ({ bucket, prefix = '' }: ListRequest) => {
      if (bucket === 'from' && !allowed.some((start) => prefix.startsWith(start)))
        throw new S3Error('AccessDenied', 'no', { status: 403 })
      return { objects: [], commonPrefixes: [], isTruncated: false }
    },
  }
}

test('a source that may be listed as far as the run lists it is fine', async () => {
  const prefixes = ['a/', 'b/']
  expect((await check({ ...places, prefixes }, s3('a/', 'b/'))).problems).toEqual([])
  expect((await check({ ...places, prefixes }, s3('a/'))).problems).toEqual([
    "source: the list function can't list s3://from/b/: AccessDenied: no",
  ])
})

test('prefixes that no key begins with are told, and not those that S3 has not looked through', async () => {
  const pages: Record<string, { objects: object[]; isTruncated: boolean }> = {
    'a/': { objects: [{ key: 'a/1' }], isTruncated: true },
    'b/': { objects: [], isTruncated: false },
    'c/': { objects: [], isTruncated: true },
  }
  const some = {
    listObjectsV2: async ({ prefix = '' }: ListRequest) =>
      ({ commonPrefixes: [], ...(pages[prefix] ?? pages['a/']) }) as unknown as ListAnswer,
  }
  expect((await check({ ...places, prefixes: ['a/', 'b/', 'c/'] }, some)).empty).toEqual(['b/'])
})

test('without prefixes all of the source has to be listed', async () => {
  expect((await check(places, s3(''))).problems).toEqual([])
  expect((await check(places, s3('a/'))).problems).toHaveLength(1)
})
