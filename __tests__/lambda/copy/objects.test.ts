import { describe, expect } from '@jest/globals'
import fc from 'fast-check'
import { withoutPresent } from '../../../lambda/list/present.ts'
import { Content } from '../../../local/s3/index.ts'
import { utf8Length } from '../../../protocol/key.ts'
import type { Options } from '../../../protocol/run.ts'
import { onEveryS3, type Under } from '../../local/s3/harness.ts'
import { anyKey, longKey } from '../../protocol/keys.ts'
import { HOSTILE_KEYS } from '../s3/support.ts'
import { ATTRIBUTES, placesOn } from './places.ts'
import { clientOf, copyThem, listAll } from './support.ts'

onEveryS3('copying objects', (under) => {
  const { test, embeddedOnly } = under

  const { buckets, put, head, tagsOf } = placesOn(under)

  describe('metadata, tags and class', () => {
    test('are those of the source', async () => {
      const places = await buckets()
      await put(places.from, 'k', {
        ...ATTRIBUTES,
        Tagging: 'team=data&b=1%2B1',
        StorageClass: 'STANDARD_IA',
      })
      const objects = await listAll(places.url, places.from)
      expect(objects).toMatchObject([{ key: 'k', size: 9, storageClass: 'STANDARD_IA' }])
      expect(await copyThem(objects, places)).toMatchObject({ copied: 1, reclassed: 0, failures: [] })
      expect(await head(places.to, 'k')).toMatchObject({ ...ATTRIBUTES, StorageClass: 'STANDARD_IA' })
      expect(await tagsOf(places.to, 'k')).toEqual([
        { Key: 'team', Value: 'data' },
        { Key: 'b', Value: '1+1' },
      ])
    })

    test('tags are left behind, and the class is another, where the run says so', async () => {
      const places = await buckets()
      await put(places.from, 'k', { ...ATTRIBUTES, Tagging: 'team=data' })
      const options: Options = { tags: 'skip', storageClass: 'STANDARD_IA' }
      const objects = await listAll(places.url, places.from)
      expect(await copyThem(objects, { ...places, options })).toMatchObject({ copied: 1, reclassed: 1 })
      expect(await head(places.to, 'k')).toMatchObject({ ...ATTRIBUTES, StorageClass: 'STANDARD_IA' })
      expect(await tagsOf(places.to, 'k')).toEqual([])
    })
  })

  embeddedOnly('moto’s web server takes some keys for others')(
    'any key at all survives listing, message and copy, whole or in parts',
    async () => {
      const { url } = await buckets()
      const store = under.store()
      let runs = 0
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(fc.oneof(anyKey(), longKey(1024 - 2)), { minLength: 1, maxLength: 20 }),
          anyKey(5),
          async (keys, prefix) => {
            const [from, to] = [`any-from-${++runs}`, `any-to-${runs}`]
            const names = keys.map((key) => `p/${key}`)
            store.createBucket(from)
            store.createBucket(to)
            for (const [index, name] of names.entries())
              store.put(from, name, index % 2 === 0 ? `body of ${name}` : Content.sparse(1024 ** 3 + 1, name))
            const prefixes = { source: 'p/', destination: `q${prefix}` }
            const objects = await listAll(url, from)
            const result = await copyThem(objects, { url, from, to, prefixes })
            // S3 itself refuses keys whose segments climb out of the bucket, and those that get too long.
            const refused = result.failures.map(({ key }) => key)
            for (const { key, code } of result.failures)
              expect(code).toBe(
                utf8Length(`q${prefix}${key.slice(2)}`) > 1024 ? 'KeyTooLongError' : 'InvalidURI',
              )
            expect(result.copied + refused.length).toBe(names.length)
            const copied = names.filter((name) => !refused.includes(name))
            expect(store.bucket(to).objects.size).toBe(copied.length)
            for (const name of copied)
              expect(store.get(to, `q${prefix}${name.slice(2)}`)?.content.md5).toBe(
                store.get(from, name)?.content.md5,
              )
          },
        ),
        { numRuns: 50 },
      )
    },
  )

  test('any key is copied to itself under another prefix', async () => {
    // S3 refuses keys that climb out of the bucket; moto's web server refuses line ends in a path.
    const keys = HOSTILE_KEYS.filter((key) => !/^\.\.\/|[\r\n]/.test(key) && key.length < 300)
    const places = await buckets()
    for (const key of keys) await put(places.from, key)
    const prefixes = { source: '', destination: 'über/+ /' }
    const objects = await listAll(places.url, places.from)
    expect(await copyThem(objects, { ...places, prefixes })).toMatchObject({
      copied: objects.length,
      failures: [],
    })
    const there = await listAll(places.url, places.to)
    expect(there.map(({ key, size, etag }) => [key, size, etag])).toEqual(
      objects.map(({ key, size, etag }) => [prefixes.destination + key, size, etag]),
    )
  })

  test('what is empty is copied, and so are the markers of folders', async () => {
    const places = await buckets()
    for (const key of ['empty', 'folder/', 'folder//', '/']) await put(places.from, key, { Body: '' })
    const objects = await listAll(places.url, places.from)
    expect(await copyThem(objects, places)).toMatchObject({ copied: 4, bytes: 0, failures: [] })
    expect(await listAll(places.url, places.to)).toEqual(objects)
  })

  test('only what the destination lacks is copied, or what is newer there, where the run says so', async () => {
    const places = await buckets()
    for (const key of ['a', 'b', 'c+ ', '日', '😀']) await put(places.from, key)
    for (const key of ['b', 'c+ ', 'other']) await put(places.to, `x/${key}`, { Body: `body of ${key}` })
    await put(places.to, 'x/日', { Body: 'of another size' })
    const s3 = clientOf(places.url)
    const left = async (overwrite: 'never' | 'if-newer') => {
      const { objects } = await s3.listObjectsV2({ bucket: places.from })
      const run = {
        source: { bucket: places.from, prefix: '' },
        destination: { bucket: places.to, prefix: 'x/' },
        options: { overwrite },
      }
      return (await withoutPresent(objects, run, (request) => s3.listObjectsV2(request))).map(
        ({ key }) => key,
      )
    }
    expect(await left('never')).toEqual(['a', '😀'])
    expect(await left('if-newer')).toEqual(['a', '日', '😀'])
    await s3.close()
  })

  test('what is deleted after it was listed has vanished', async () => {
    const places = await buckets()
    await put(places.from, 'k')
    const objects = [...(await listAll(places.url, places.from)), { key: 'gone', size: 1 }]
    const large = { key: 'gone too', size: 2 * 1024 ** 3 }
    expect(await copyThem([...objects, large], places)).toMatchObject({
      copied: 1,
      vanished: 2,
      failures: [],
    })
  })

  describe('what changed after it was listed', () => {
    test('is copied as it is by then', async () => {
      const places = await buckets()
      await put(places.from, 'k')
      const objects = await listAll(places.url, places.from)
      await put(places.from, 'k', { Body: 'newer and longer' })
      expect(await copyThem(objects, places)).toMatchObject({ copied: 1, bytes: 16, failures: [] })
      expect(await head(places.to, 'k')).toMatchObject({ ContentLength: 16 })
    })

    embeddedOnly('moto does not look at x-amz-copy-source-if-match')(
      'fails where the run says so',
      async () => {
        const places = await buckets()
        await put(places.from, 'k')
        const objects = await listAll(places.url, places.from)
        await put(places.from, 'k', { Body: 'newer' })
        expect(await copyThem(objects, { ...places, options: { ifChanged: 'fail' } })).toMatchObject({
          copied: 0,
          failures: [{ key: 'k', code: 'PreconditionFailed' }],
        })
      },
    )
  })

  embeddedOnly('moto does not look at x-amz-copy-source-if-match')(
    'one that changed is no object that is there already: that fails, where the run says so',
    async () => {
      const places = await buckets()
      await put(places.from, 'k')
      const objects = await listAll(places.url, places.from)
      await put(places.from, 'k', { Body: 'newer' })
      const options: Options = { overwrite: 'never', ifChanged: 'fail' }
      expect(await copyThem(objects, { ...places, options })).toMatchObject({
        skipped: 0,
        failures: [{ key: 'k', code: 'PreconditionFailed' }],
      })
    },
  )

  embeddedOnly('moto does not look at If-None-Match of CopyObject')(
    'what is there already is left as it is, where the run says so',
    async () => {
      const places = await buckets()
      await put(places.from, 'k')
      await put(places.from, 'new')
      await put(places.to, 'k', { Body: 'theirs' })
      const objects = await listAll(places.url, places.from)
      const options: Options = { overwrite: 'never', ifChanged: 'fail' }
      expect(await copyThem(objects, { ...places, options })).toMatchObject({
        copied: 1,
        skipped: 1,
        failures: [],
      })
      expect(await head(places.to, 'k')).toMatchObject({ ContentLength: 6 })
    },
  )

  test('a website redirect goes along where the run says so', async () => {
    const places = await buckets()
    await put(places.from, 'k', { WebsiteRedirectLocation: '/elsewhere' })
    const objects = await listAll(places.url, places.from)
    await copyThem(objects, { ...places, options: { websiteRedirects: 'copy' } })
    expect((await head(places.to, 'k')).WebsiteRedirectLocation).toBe('/elsewhere')
  })

  describe('an archived object', () => {
    test('is reported without a try', async () => {
      const places = await buckets()
      await put(places.from, 'k', { StorageClass: 'DEEP_ARCHIVE' })
      await put(places.from, 'l', { StorageClass: 'GLACIER_IR' })
      const objects = await listAll(places.url, places.from)
      expect(await copyThem(objects, places)).toMatchObject({
        copied: 1,
        failures: [
          {
            key: 'k',
            code: 'InvalidObjectState',
            message: expect.stringMatching(/^it is in DEEP_ARCHIVE and not restored: .*`archived: skip`/),
          },
        ],
      })
    })

    test('that the listing does not show as such is reported by what S3 says; or skipped', async () => {
      const places = await buckets()
      await put(places.from, 'k', { StorageClass: 'GLACIER' })
      const objects = [{ key: 'k', size: 9 }]
      expect(await copyThem(objects, places)).toMatchObject({ copied: 0, failures: [{ key: 'k' }] })
      expect(await copyThem(objects, { ...places, options: { archived: 'skip' } })).toMatchObject({
        skipped: 1,
        failures: [],
      })
    })

    embeddedOnly('moto restores at once')('that is restored is copied; one that will be is not', async () => {
      const places = await buckets()
      for (const key of ['done', 'under way', 'never'])
        await put(places.from, key, { StorageClass: 'GLACIER' })
      const store = under.store()
      store.setRestore(places.from, 'done', { ongoing: false, expires: new Date(2e12) })
      store.setRestore(places.from, 'under way', { ongoing: true })
      const objects = await listAll(places.url, places.from)
      expect(objects.map(({ key, archived }) => [key, archived ?? false])).toEqual([
        ['done', false],
        ['never', true],
        ['under way', true],
      ])
      expect(await copyThem(objects, { ...places, options: { archived: 'skip' } })).toMatchObject({
        copied: 1,
        skipped: 2,
        failures: [],
      })
      expect(store.get(places.to, 'done')?.storageClass).toBe('GLACIER')
    })
  })

  rights(under, buckets, put)
})

/** What other S3s have no rights, payers or keys for. */
function rights(
  under: Under,
  buckets: () => Promise<{ url: string; from: string; to: string }>,
  put: (bucket: string, key: string, more?: object) => Promise<unknown>,
): void {
  const test = under.embeddedOnly('it needs rights, payers and keys that are looked at')
  const DENIED = [{ code: 'AccessDenied' }, { code: 'AccessDenied' }]

  /** An object for each way of copying, with tags and an annotation, so that all requests are made. */
  async function smallAndLarge() {
    const places = await buckets()
    const attributes = { tags: new Map([['a', '値'.repeat(250)]]), annotations: new Map([['a', '1']]) }
    under.store().put(places.from, 'large', Content.sparse(2 * 1024 ** 3), attributes)
    under.store().put(places.from, 'small', 'x', attributes)
    return { places, objects: await listAll(places.url, places.from) }
  }

  test('whoever does not pay is refused, and a requester who does is not', async () => {
    const { places, objects } = await smallAndLarge()
    for (const bucket of [places.from, places.to]) under.store().bucket(bucket).requesterPays = true
    expect(await copyThem(objects, places)).toMatchObject({ failures: DENIED })
    const options: Options = { requestPayer: 'requester', annotations: 'copy' }
    expect(await copyThem(objects, { ...places, options })).toMatchObject({ copied: 2, failures: [] })
  })

  test('a bucket that is another account’s by now is not written to', async () => {
    const { places, objects } = await smallAndLarge()
    const owner = under.store().bucket(places.to).owner
    const copy = (options: Options) => copyThem(objects, { ...places, options })
    expect(await copy({ sourceOwner: owner, destinationOwner: owner, annotations: 'copy' })).toMatchObject({
      copied: 2,
    })
    for (const side of ['sourceOwner', 'destinationOwner'])
      expect(await copy({ [side]: '999999999999' })).toMatchObject({ failures: DENIED })
  })

  test('encryption by KMS on either side says nothing of the content', async () => {
    const places = await buckets()
    under.store().bucket(places.from).encryption = { algorithm: 'aws:kms', keyId: 'arn:aws:kms:::key/1' }
    await put(places.from, 'k')
    const objects = await listAll(places.url, places.from)
    expect(await copyThem(objects, places)).toMatchObject({ copied: 1, failures: [] })
    under.store().bucket(places.to).encryption = { algorithm: 'aws:kms', keyId: 'arn:aws:kms:::key/2' }
    expect(await copyThem(objects, places)).toMatchObject({ copied: 1, failures: [] })
  })

  for (const action of ['s3:GetObjectTagging', 's3:PutObjectTagging'])
    test(`without ${action} small and large objects fail alike, and are copied alike without their tags`, async () => {
      const { places, objects } = await smallAndLarge()
      const allow = under.store().deny({ action })
      expect(await copyThem(objects, places)).toMatchObject({ copied: 0, failures: DENIED })
      const options: Options = { tags: 'skip' }
      expect(await copyThem(objects, { ...places, options })).toMatchObject({ copied: 2, failures: [] })
      allow()
    })

  for (const action of ['kms:Decrypt', 'kms:GenerateDataKey'])
    test(`a key without ${action} is reported, small or large`, async () => {
      const places = await buckets()
      for (const bucket of [places.from, places.to])
        under.store().bucket(bucket).encryption = { algorithm: 'aws:kms', keyId: 'arn:aws:kms:::key/1' }
      under.store().put(places.from, 'small', 'x')
      under.store().put(places.from, 'large', Content.sparse(2 * 1024 ** 3))
      const objects = await listAll(places.url, places.from)
      const allow = under.store().deny({ action })
      expect(await copyThem(objects, places)).toMatchObject({ copied: 0, failures: DENIED })
      allow()
      expect(under.store().bucket(places.to).uploads.size).toBe(0)
      expect(await copyThem(objects, places)).toMatchObject({ copied: 2, failures: [] })
    })

  test('an object under a customer’s key is reported, small or large', async () => {
    const places = await buckets()
    const encryption = { algorithm: 'SSE-C', customerKeyMd5: 'abc' } as const
    under.store().put(places.from, 'small', 'x', { encryption })
    const objects = [...(await listAll(places.url, places.from)), { key: 'small', size: 2 * 1024 ** 3 }]
    const { copied, failures } = await copyThem(objects, places)
    expect([copied, failures.map(({ code }) => code)]).toEqual([0, ['InvalidRequest', 'InvalidRequest']])
  })
}
