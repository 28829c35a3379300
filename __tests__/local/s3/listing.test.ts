import { ListObjectsV2Command, type ListObjectsV2CommandInput, PutObjectCommand } from '@aws-sdk/client-s3'
import { expect } from '@jest/globals'
import { decodeListed, onEveryS3, refusal } from './harness.ts'

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

onEveryS3('ListObjectsV2', ({ test, embeddedOnly, client, newBucket, raw, store }) => {
  const list = (Bucket: string, more: Omit<ListObjectsV2CommandInput, 'Bucket'> = {}) =>
    client().send(new ListObjectsV2Command({ Bucket, ...more }))
  const filled = async (keys: string[]) => {
    const Bucket = await newBucket()
    await Promise.all(keys.map((Key) => client().send(new PutObjectCommand({ Bucket, Key, Body: Key }))))
    return Bucket
  }
  /** All pages: the keys, and the common prefixes in brackets. */
  const pages = async (Bucket: string, more: Omit<ListObjectsV2CommandInput, 'Bucket'>) => {
    const found: string[][] = []
    let token: string | undefined
    do {
      const page = await list(Bucket, { ...more, ...(token !== undefined && { ContinuationToken: token }) })
      found.push([
        ...(page.Contents ?? []).map((object) => object.Key ?? ''),
        ...(page.CommonPrefixes ?? []).map((group) => `[${group.Prefix}]`),
      ])
      expect(page.KeyCount).toBe(found.at(-1)?.length)
      expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined)
      token = page.NextContinuationToken
    } while (token !== undefined)
    return found
  }

  test('keys in the order of their UTF-8 bytes, with size, ETag and class', async () => {
    const keys = ['a', 'B', 'a/b', 'a-b', 'ä', 'ø', '®', '日', '\uE000', '\uFF5E', '😀', '🂡', '~', '0']
    const Bucket = await filled(keys)
    const { Contents = [] } = await list(Bucket)
    expect(Contents.map((object) => object.Key)).toEqual([...keys].sort(byBytes))
    expect(Contents[0]).toMatchObject({
      Key: '0',
      Size: 1,
      ETag: '"cfcd208495d565ef66e7dff9f98764da"',
      StorageClass: 'STANDARD',
    })
  })

  test('encoding-type=url makes every key readable', async () => {
    const keys = ['a b+c', 'a\u0001', 'a%41', 'a/ü', 'a&<>"\'']
    const Bucket = await filled(keys)
    const page = await list(Bucket, { EncodingType: 'url', Prefix: 'a', StartAfter: 'a\u0000' })
    expect(page.Contents?.map((object) => decodeListed(object.Key ?? ''))).toEqual([...keys].sort(byBytes))
    expect(page.EncodingType).toBe('url')
    const grouped = await list(Bucket, { EncodingType: 'url', Prefix: 'a b', Delimiter: '+' })
    expect(decodeListed(grouped.CommonPrefixes?.[0]?.Prefix ?? '')).toBe('a b+')
  })

  embeddedOnly(
    'moto writes a space as %20 and leaves StartAfter as it is; S3 does not (aws-facts, encoding-type=url)',
  )('a space is a plus; prefix, delimiter and start-after are encoded as well', async () => {
    const Bucket = await filled(['a b+c', 'a b/ü~*'])
    const page = await list(Bucket, {
      EncodingType: 'url',
      Prefix: 'a b',
      Delimiter: '+',
      StartAfter: 'a b!ü',
    })
    expect(page).toMatchObject({ Prefix: 'a+b', Delimiter: '%2B', StartAfter: 'a+b%21%C3%BC' })
    expect(page.CommonPrefixes).toEqual([{ Prefix: 'a+b%2B' }])
    expect(page.Contents?.map((object) => object.Key)).toEqual(['a+b/%C3%BC%7E*'])
  })

  test('without it, control characters break the XML', async () => {
    const Bucket = await filled(['a\u0001b'])
    const { text } = await raw('GET', `/${Bucket}?list-type=2`)
    expect(text).toMatch(/<Key>a(&#x1;|\u0001)b<\/Key>/)
  })

  test('a prefix, also one that is itself a key', async () => {
    const Bucket = await filled(['a', 'a/', 'a/b', 'a/c', 'a0', 'b'])
    expect(await pages(Bucket, { Prefix: 'a/' })).toEqual([['a/', 'a/b', 'a/c']])
    expect(await pages(Bucket, { Prefix: 'none' })).toEqual([[]])
  })

  test('a delimiter rolls keys up; each common prefix counts as one', async () => {
    const Bucket = await filled(['a/1', 'a/2', 'b', 'c/1', 'c/2/3', 'd'])
    expect(await pages(Bucket, { Delimiter: '/' })).toEqual([['b', 'd', '[a/]', '[c/]']])
    expect(await pages(Bucket, { Delimiter: '/', Prefix: 'c/' })).toEqual([['c/1', '[c/2/]']])
    expect((await pages(Bucket, { Delimiter: '/', MaxKeys: 1 })).flat()).toEqual(['[a/]', 'b', '[c/]', 'd'])
    expect((await pages(Bucket, { Delimiter: '2/', MaxKeys: 2 })).flat().sort()).toEqual(
      ['[c/2/]', 'a/1', 'a/2', 'b', 'c/1', 'd'].sort(),
    )
  })

  test('pages follow one another without gap or overlap', async () => {
    const keys = Array.from({ length: 25 }, (_, i) => `k${String(i).padStart(2, '0')}`)
    const Bucket = await filled(keys)
    const found = await pages(Bucket, { MaxKeys: 10 })
    expect(found.map((page) => page.length)).toEqual([10, 10, 5])
    expect(found.flat()).toEqual(keys)
    expect((await pages(Bucket, { MaxKeys: 25 })).map((page) => page.length)).toEqual([25])
  })

  test('start-after: any text, itself left out', async () => {
    const Bucket = await filled(['a', 'b', 'b/', 'c', '😀'])
    expect(await pages(Bucket, { StartAfter: 'b' })).toEqual([['b/', 'c', '😀']])
    expect(await pages(Bucket, { StartAfter: 'bb' })).toEqual([['c', '😀']])
    expect(await pages(Bucket, { StartAfter: '\uFFFD' })).toEqual([['😀']])
    expect(await pages(Bucket, { StartAfter: '😀' })).toEqual([[]])
    expect(await pages(Bucket, { StartAfter: 'a', Prefix: 'b', MaxKeys: 1 })).toEqual([['b'], ['b/']])
  })

  test('a page has 1,000 keys at most', async () => {
    const keys = Array.from({ length: 1001 }, (_, i) => `k${String(i).padStart(4, '0')}`)
    const Bucket = await filled(keys)
    expect((await pages(Bucket, {})).map((page) => page.length)).toEqual([1000, 1])
  }, 300_000)

  embeddedOnly('moto gives as many as are asked for (aws-facts, ListObjectsV2)')(
    'nor more when asked for',
    async () => {
      const Bucket = await newBucket()
      store().load(
        Bucket,
        Array.from({ length: 1001 }, (_, i) => `k${i}`),
      )
      expect((await pages(Bucket, { MaxKeys: 5000 })).map((page) => page.length)).toEqual([1000, 1])
    },
  )

  test('no keys asked for, none given', async () => {
    const page = await list(await filled(['a']), { MaxKeys: 0 })
    expect([page.KeyCount, page.IsTruncated]).toEqual([0, false])
  })

  test('the owner, only when asked for', async () => {
    const Bucket = await filled(['a'])
    expect((await list(Bucket)).Contents?.[0]?.Owner).toBeUndefined()
    expect((await list(Bucket, { FetchOwner: true })).Contents?.[0]?.Owner?.ID).toBeTruthy()
  })

  embeddedOnly('moto does not say it in listings')('the restore state, only when asked for', async () => {
    const Bucket = await newBucket()
    store().put(Bucket, 'k', '', {
      storageClass: 'GLACIER',
      restore: { ongoing: false, expires: new Date(0) },
    })
    store().put(Bucket, 'l', '', { storageClass: 'GLACIER' })
    expect((await list(Bucket)).Contents?.[0]?.RestoreStatus).toBeUndefined()
    const { Contents } = await list(Bucket, { OptionalObjectAttributes: ['RestoreStatus'] })
    expect(Contents?.map((object) => object.RestoreStatus)).toEqual([
      { IsRestoreInProgress: false, RestoreExpiryDate: new Date(0) },
      undefined,
    ])
  })

  test('an empty continuation token is refused', async () => {
    const { status, text } = await raw('GET', `/${await newBucket()}?list-type=2&continuation-token=`)
    expect([status, /<Code>(\w+)</.exec(text)?.[1]]).toEqual([400, 'InvalidArgument'])
  })

  embeddedOnly('moto takes them')('arguments that make no sense', async () => {
    const Bucket = await newBucket()
    expect(await refusal(list(Bucket, { ContinuationToken: 'nonsense' }))).toEqual({
      code: 'InvalidArgument',
      status: 400,
    })
    expect((await raw('GET', `/${Bucket}?list-type=2&max-keys=x`)).status).toBe(400)
    expect((await raw('GET', `/${Bucket}?list-type=2&encoding-type=xml`)).status).toBe(400)
  })

  embeddedOnly('a million puts take moto too long')(
    'a million keys are listed page by page, in order',
    async () => {
      const Bucket = await newBucket()
      const keys = function* () {
        for (let i = 0; i < 1_000_000; i++) yield `k/${(i * 7919) % 1_000_003}`
      }
      expect(store().load(Bucket, keys(), 'x')).toBe(1_000_000)
      let [count, requests, last] = [0, 0, '']
      for (let token: string | undefined = ''; token !== undefined; requests++) {
        const { text } = await raw(
          'GET',
          `/${Bucket}?list-type=2${token && `&continuation-token=${encodeURIComponent(token)}`}`,
        )
        for (const [, key = ''] of text.matchAll(/<Key>([^<]*)</g)) {
          if (key <= last) throw new Error(`${key} comes after ${last}`)
          last = key
          count++
        }
        token = /<NextContinuationToken>([^<]*)</.exec(text)?.[1]
      }
      expect([count, requests]).toEqual([1_000_000, 1000])
    },
    120_000,
  )
})
