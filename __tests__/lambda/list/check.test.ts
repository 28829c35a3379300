import { describe, expect, test } from '@jest/globals'
import { check } from '../../../lambda/list/check.ts'
import { type ListAnswer, type ListRequest, S3Error } from '../../../lambda/s3/index.ts'
import type { Options } from '../../../protocol/run.ts'

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

describe('what S3 answers', () => {
  const problems = async (failing: string, code: string, status: number, options: Options = {}) => {
    const refusing = {
      listObjectsV2: async ({ bucket }: ListRequest): Promise<ListAnswer> => {
        if (bucket === failing) throw new S3Error(code, 'no', { status })
        return { objects: [], commonPrefixes: [], isTruncated: false }
      },
    }
    return (await check({ ...places, options }, refusing)).problems
  }

  test('for the time being is nobody’s mistake', async () => {
    expect(await problems('from', 'SlowDown', 503)).toEqual([])
    expect(await problems('to', 'InternalError', 500)).toEqual([])
  })

  test('when a destination may not be listed is in the way only of a run that has to', async () => {
    expect(await problems('to', 'AccessDenied', 403)).toEqual([])
    expect(await problems('to', 'AccessDenied', 403, { overwrite: 'never' })).toEqual([
      "destination: the list function can't list s3://to/x/: AccessDenied: no",
    ])
    expect(await problems('to', 'NoSuchBucket', 404)).toHaveLength(1)
  })
})

test('each side is asked as the run will ask it', async () => {
  const asked: Record<string, ListRequest> = {}
  const options: Options = { requestPayer: 'requester', sourceOwner: '1', destinationOwner: '2' }
  await check(
    { ...places, options },
    {
      listObjectsV2: async (request) => {
        asked[request.bucket] = request
        return { objects: [], commonPrefixes: [], isTruncated: false }
      },
    },
  )
  expect(asked).toMatchObject({
    from: { prefix: '', requestPayer: 'requester', expectedBucketOwner: '1' },
    to: { prefix: 'x/', requestPayer: 'requester', expectedBucketOwner: '2' },
  })
})
