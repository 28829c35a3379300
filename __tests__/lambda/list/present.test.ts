import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { justBefore, withoutPresent } from '../../../lambda/list/present.ts'
import type { ListAnswer, ListedObject, ListRequest } from '../../../lambda/s3/index.ts'
import { compareKeys, KEY_BYTES, utf8Length } from '../../../protocol/key.ts'
import type { Options } from '../../../protocol/run.ts'
import { anyKey } from '../../protocol/keys.ts'

const at = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString()
const object = (key: string, day = 1, size = 1): ListedObject => ({
  key,
  size,
  etag: '',
  lastModified: at(day),
})

/** A destination that lists so many keys a page, and counts the pages. */
function destination(objects: ListedObject[], page = 3) {
  const inOrder = [...objects].sort((a, b) => compareKeys(a.key, b.key))
  const pages: ListRequest[] = []
  const list = async (request: ListRequest): Promise<ListAnswer> => {
    pages.push(request)
    const { prefix = '', startAfter, continuationToken, maxKeys = page } = request
    const after = continuationToken ?? startAfter
    const rest = inOrder
      .filter(({ key }) => key.startsWith(prefix))
      .filter(({ key }) => after === undefined || compareKeys(key, after) > 0)
    const found = rest.slice(0, Math.min(page, maxKeys))
    const last = found.at(-1)?.key
    const isTruncated = rest.length > found.length
    return {
      objects: found,
      commonPrefixes: [],
      isTruncated,
      ...(isTruncated && last !== undefined && { nextContinuationToken: last }),
    }
  }
  return { list, pages }
}

const run = (options: Options, source = '', to = '') => ({
  source: { bucket: 'from', prefix: source },
  destination: { bucket: 'to', prefix: to },
  options,
})
const keys = (objects: ListedObject[]) => objects.map(({ key }) => key)

describe('what the destination has already', () => {
  test('is left out, whatever is in it, under never', async () => {
    const { list } = destination([object('b', 9, 9), object('d', 1)])
    const page = ['a', 'b', 'c', 'd'].map((key) => object(key, 5))
    expect(keys(await withoutPresent(page, run({ overwrite: 'never' }), list))).toEqual(['a', 'c'])
  })

  test('is asked for once where there is nothing', async () => {
    const { list, pages } = destination([])
    const page = Array.from({ length: 50 }, (_, index) => object(`k${index}`))
    expect(await withoutPresent(page, run({ overwrite: 'never' }), list)).toHaveLength(50)
    expect(pages).toHaveLength(1)
  })

  test('is found behind an answer without keys, which others follow', async () => {
    const list = async ({ continuationToken }: ListRequest): Promise<ListAnswer> =>
      continuationToken === undefined
        ? { objects: [], commonPrefixes: [], isTruncated: true, nextContinuationToken: 'on' }
        : { objects: [object('k')], commonPrefixes: [], isTruncated: false }
    expect(await withoutPresent([object('k')], run({ overwrite: 'never' }), list)).toEqual([])
  })

  test('is copied over under if-newer when nobody says how old it is', async () => {
    const { lastModified: _, ...ageless } = object('k')
    const { list } = destination([ageless])
    expect(await withoutPresent([object('k')], run({ overwrite: 'if-newer' }), list)).toHaveLength(1)
  })

  test('is left out under if-newer when it is as large and not older', async () => {
    const { list } = destination([
      object('older', 4),
      object('same', 5),
      object('newer', 6),
      object('size', 6, 2),
    ])
    const page = ['missing', 'newer', 'older', 'same', 'size'].map((key) => object(key, 5))
    const left = await withoutPresent(page, run({ overwrite: 'if-newer' }), list)
    expect(keys(left)).toEqual(['missing', 'older', 'size'])
  })

  test('is found under the other prefix', async () => {
    const { list } = destination([object('x/y/1'), object('p/1')])
    const page = [object('p/1'), object('p/2')]
    const left = await withoutPresent(page, run({ overwrite: 'never' }, 'p/', 'x/y/'), list)
    expect(keys(left)).toEqual(['p/2'])
  })

  test('is found with any keys on both sides, and only the stretch of the page is listed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anyKey(), { minLength: 1, maxLength: 12 }),
        fc.array(anyKey(), { maxLength: 12 }),
        fc.func(fc.boolean()),
        async (sourceKeys, otherKeys, isThere) => {
          const page = sourceKeys.toSorted(compareKeys).map((key) => object(key))
          const present = sourceKeys.filter((key) => isThere(key))
          const all = [...new Set([...present, ...otherKeys])].map((key) => object(key))
          const { list } = destination(all)
          const left = await withoutPresent(page, run({ overwrite: 'never' }), list)
          const there = new Set(all.map(({ key }) => key))
          expect(keys(left)).toEqual(keys(page).filter((key) => !there.has(key)))
        },
      ),
    )
  })

  test('costs about a request a page, however much the destination holds', async () => {
    const all = Array.from({ length: 1000 }, (_, index) => object(String(index).padStart(4, '0')))
    const { list, pages } = destination(all, 10)
    await withoutPresent(all.slice(500, 510), run({ overwrite: 'never' }), list)
    expect(pages.length).toBeLessThanOrEqual(2)
  })

  test('skips what lies between, however much the destination holds beside', async () => {
    const all = Array.from({ length: 5000 }, (_, index) => object(String(index).padStart(4, '0')))
    const { list, pages } = destination(all, 10)
    const page = all.filter((_, index) => index % 500 === 7)
    expect(await withoutPresent(page, run({ overwrite: 'never' }), list)).toEqual([])
    expect(pages.length).toBeLessThanOrEqual(2 * page.length)
  })

  test.each([
    ['one key is', ['b']],
    ['several are', ['a', 'b', 'c']],
  ])('is found behind a page that is empty though others follow, when %s looked for', async (_, names) => {
    const { list } = destination([object('b')])
    let asked = 0
    const emptyFirst = async (request: ListRequest): Promise<ListAnswer> =>
      ++asked === 1
        ? { objects: [], commonPrefixes: [], isTruncated: true, nextContinuationToken: 'a' }
        : await list(request)
    const page = names.map((name) => object(name))
    const left = keys(await withoutPresent(page, run({ overwrite: 'never' }), emptyFirst))
    expect(left).toEqual(names.filter((name) => name !== 'b'))
  })

  test('is not looked for behind thousands of pages without keys', async () => {
    let asked = 0
    const empty = async (): Promise<ListAnswer> => {
      asked++
      return { objects: [], commonPrefixes: [], isTruncated: true, nextContinuationToken: 'more' }
    }
    const page = ['logs/', 'logs/a', 'logs/b'].map((key) => object(key))
    expect(await withoutPresent(page, run({ overwrite: 'never' }), empty)).toEqual(page)
    expect(asked).toBeLessThan(20)
  })

  test('is given up under never where it would take many requests: S3 looks by itself', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => String(index).padStart(4, '0'))
    const beside = names.flatMap((name) => Array.from({ length: 50 }, (_, index) => `${name}-${index}`))
    const all = [...names, ...beside].map((key) => object(key))
    const page = names.map((name) => object(name))
    const never = destination(all, 20)
    const left = await withoutPresent(page, run({ overwrite: 'never' }), never.list)
    expect(left.length).toBeGreaterThan(0)
    expect(left.length).toBeLessThan(1000)
    expect(never.pages.length).toBeLessThan(200)
    // Nothing else keeps what is newer from being copied over.
    const newer = destination(all, 20)
    expect(await withoutPresent(page, run({ overwrite: 'if-newer' }), newer.list)).toEqual([])
  })

  test('is looked for key by key where many pages are empty though others follow', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => String(index).padStart(4, '0'))
    const { list, pages } = destination([object('0500')])
    const empty = async (request: ListRequest): Promise<ListAnswer> => {
      if (request.maxKeys === 1) return await list(request)
      pages.push(request)
      return { objects: [], commonPrefixes: [], isTruncated: true, nextContinuationToken: 'more' }
    }
    const page = names.map((name) => object(name))
    const left = await withoutPresent(page, run({ overwrite: 'if-newer' }), empty)
    expect(keys(left)).toEqual(names.filter((name) => name !== '0500'))
    expect(pages.length).toBeLessThan(1_500)
  })

  test('one dense stretch does not make the rest of a page dear', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => String(index).padStart(4, '0'))
    const beside = names.flatMap((name) => ['a', 'b', 'c', 'd'].map((letter) => `${name}-${letter}`))
    const dense = Array.from({ length: 3000 }, (_, index) => `0001/${String(index).padStart(4, '0')}`)
    const { list, pages } = destination(
      [...names, ...beside, ...dense].map((key) => object(key)),
      1000,
    )
    const page = names.map((name) => object(name))
    expect(await withoutPresent(page, run({ overwrite: 'never' }), list)).toEqual([])
    expect(pages.length).toBeLessThan(20)
  })

  test('is nothing where the key would be too long there, which is not asked for', async () => {
    const { list, pages } = destination([object('archive/b')])
    const long = `a${'é'.repeat(511)}`
    const page = [object(long), object('b')]
    const left = await withoutPresent(page, run({ overwrite: 'never' }, '', 'archive/'), list)
    expect(keys(left)).toEqual([long])
    for (const { startAfter = '' } of pages) expect(utf8Length(startAfter)).toBeLessThanOrEqual(KEY_BYTES)
  })

  test('is looked for within the destination prefix only: the right to list may be limited to it', async () => {
    const { list, pages } = destination([object('archive/b')])
    const page = ['a', 'b', 'c'].map((key) => object(key))
    await withoutPresent(page, run({ overwrite: 'never' }, '', 'archive/'), list)
    expect(pages.length).toBeGreaterThan(0)
    for (const { prefix } of pages) expect(prefix).toMatch(/^archive\//)
  })

  test('who pays, and whose bucket it has to be, goes along', async () => {
    const { list, pages } = destination([])
    const options: Options = { overwrite: 'never', requestPayer: 'requester', destinationOwner: '1' }
    await withoutPresent([object('a')], run(options), list)
    expect(pages[0]).toMatchObject({ bucket: 'to', requestPayer: 'requester', expectedBucketOwner: '1' })
  })
})

test('the key to list after is below, valid, and well-formed, for any key', () => {
  fc.assert(
    fc.property(anyKey(), (key) => {
      const before = justBefore(key)
      if (before === undefined) return
      expect(compareKeys(before, key)).toBeLessThan(0)
      expect(before.isWellFormed()).toBe(true)
      expect(utf8Length(before)).toBeLessThanOrEqual(KEY_BYTES)
    }),
  )
})

test.each(['x'.repeat(KEY_BYTES), '日'.repeat(341), '🚀'.repeat(256)])(
  'the key to list after is none that S3 finds too long, however long the given one is',
  (key) => {
    const before = justBefore(key) ?? ''
    expect(utf8Length(before)).toBeLessThanOrEqual(KEY_BYTES)
    expect(compareKeys(before, key)).toBeLessThan(0)
  },
)
