import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Pace } from '../../../lambda/copy/pace.ts'
import { workOnCopyTask } from '../../../lambda/copy/task.ts'
import {
  type Attributes,
  Content,
  type Fault,
  type Intercepted,
  type Store,
  startS3,
} from '../../../local/s3/index.ts'
import type { StoredObject } from '../../../local/s3/store.ts'
import type { Options } from '../../../protocol/run.ts'
import { newCopyTask, type Task } from '../../../protocol/task.ts'
import { Clock, clientOf, copyThem, listAll, runOf, type Setting } from './support.ts'

const GIB = 1024 ** 3
const TB = 10 ** 12
/** More than a header takes. */
const manyTags = new Map(
  Array.from({ length: 10 }, (_, index) => [`名前${index}`.repeat(8), '値'.repeat(200)]),
)

let store: Store
let setting: Setting
let clock: Clock
let close: () => Promise<void>
let calls: Record<string, number>
let onCall: (request: Intercepted, nth: number) => Fault | undefined

/** From such a call on, no time is left. */
function outOfTimeAt(name: string, at: number): void {
  onCall = ({ operation }) => {
    if (operation === name) clock.at = at
    return undefined
  }
}

beforeEach(async () => {
  calls = {}
  onCall = () => undefined
  const s3 = await startS3({
    intercept: (request) => {
      const nth = (calls[request.operation] ?? 0) + 1
      calls[request.operation] = nth
      return onCall(request, nth)
    },
  })
  store = s3.store
  close = s3.close
  for (const bucket of ['from', 'to']) store.createBucket(bucket)
  clock = new Clock()
  setting = { url: s3.url, from: 'from', to: 'to', clock }
})
afterEach(() => close())

const copyAll = async (more: Partial<Setting> = {}) =>
  copyThem(await listAll(setting.url, 'from'), { ...setting, ...more })
const uploads = () => store.bucket('to').uploads.size

describe('the size of an object', () => {
  test.each([
    ['nothing', 0, false],
    ['a byte', 1, false],
    ['1 GiB', GIB, false],
    ['1 GiB and a byte', GIB + 1, true],
    ['5 GiB', 5 * GIB, true],
    ['5 GiB and a byte, more than a CopyObject can', 5 * GIB + 1, true],
    ['5 TB', 5 * TB, true],
    ['50 TB', 50 * TB, true],
    ['the most that S3 takes, 10,000 parts of 5 GiB', 50_000 * GIB, true],
  ])('%s is copied whole and right', async (_, size, inParts) => {
    store.put('from', 'k', Content.sparse(size))
    expect(await copyAll()).toMatchObject({ copied: 1, bytes: size, failures: [], late: [], refused: [] })
    const copy = store.get('to', 'k')
    expect(copy?.content.size).toBe(size)
    expect(copy?.content.md5).toBe(store.get('from', 'k')?.content.md5)
    expect(calls.CompleteMultipartUpload ?? 0).toBe(inParts ? 1 : 0)
    expect(calls.CopyObject ?? 0).toBe(inParts ? 0 : 1)
    expect(uploads()).toBe(0)
  })

  test('a marker of a folder is copied', async () => {
    store.put('from', 'folder/', '')
    expect(await copyAll()).toMatchObject({ copied: 1, bytes: 0 })
    expect(store.get('to', 'folder/')?.content.size).toBe(0)
  })
})

describe('what belongs to an object is the same by either way', () => {
  const headers = new Map([
    ['content-type', 'text/x-test; charset=utf-8'],
    ['content-encoding', 'gzip'],
    ['content-language', 'de, en'],
    ['content-disposition', 'attachment; filename="a.txt"'],
    ['cache-control', 'max-age=60, private'],
    ['expires', 'one day'],
    ['x-amz-meta-plain', 'a  b'],
    ['x-amz-meta-text', Buffer.from('Größe 日本').toString('latin1')],
    ['x-amz-meta-word', '日本'],
    ['x-amz-meta-empty', ''],
  ])
  const attributes: Partial<Attributes> = {
    headers,
    tags: new Map([
      ['team', 'data + more_@:/.-'],
      ['größe', '1+1=2'],
    ]),
    annotations: new Map([['note', 'ein Wort']]),
    storageClass: 'STANDARD_IA',
    redirect: '/elsewhere',
  }
  const cases: [string, Options][] = [
    ['by default', {}],
    ['with everything', { annotations: 'copy', websiteRedirects: 'copy' }],
    ['in another class', { storageClass: 'GLACIER_IR' }],
    ['without tags', { tags: 'skip' }],
    ['encrypted by a key', { sse: 'aws:kms', sseKmsKey: 'arn:aws:kms:us-east-1:1:key/k' }],
    ['encrypted twice', { sse: 'aws:kms:dsse', sseKmsKey: 'arn:aws:kms:us-east-1:1:key/k' }],
    ['with an ACL', { acl: 'bucket-owner-full-control' }],
  ]
  test.each(cases)('%s', async (_, options) => {
    store.put('from', 'small', Content.sparse(1000), attributes)
    store.put('from', 'large', Content.sparse(2 * GIB), attributes)
    const { storageClass } = options
    expect(await copyAll({ options })).toMatchObject({
      copied: 2,
      reclassed: storageClass ? 2 : 0,
      failures: [],
    })
    for (const key of ['small', 'large']) {
      const copy = store.get('to', key)
      expect(Object.fromEntries(copy?.headers ?? [])).toEqual(Object.fromEntries(headers))
      expect(copy?.tags).toEqual(options.tags ? new Map() : attributes.tags)
      expect(copy?.annotations).toEqual(options.annotations ? attributes.annotations : new Map())
      expect(copy?.storageClass).toBe(storageClass ?? 'STANDARD_IA')
      expect(copy?.redirect).toBe(options.websiteRedirects && '/elsewhere')
      expect(copy?.acl).toBe(options.acl)
      expect(copy?.encryption).toEqual(
        options.sse
          ? {
              algorithm: options.sse,
              keyId: options.sseKmsKey,
              ...(options.sse === 'aws:kms' && { bucketKey: true }),
            }
          : { algorithm: 'AES256' },
      )
    }
  })

  test.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
    'a checksum of all bytes stays %s',
    async (algorithm) => {
      const content = Content.sparse(2 * GIB)
      const value = await content.checksum(algorithm)
      const bucket = store.bucket('from')
      const made = store.put('from', 'k', content)
      bucket.objects.set('k', { ...made, checksum: { algorithm, type: 'FULL_OBJECT', value } })
      expect(await copyAll()).toMatchObject({ copied: 1 })
      expect(store.get('to', 'k')?.checksum).toEqual({ algorithm, type: 'FULL_OBJECT', value })
    },
  )

  /** The checksum of the copy of an object that has this one. */
  const checksumOfCopy = async (checksum: NonNullable<StoredObject['checksum']>) => {
    const made = store.put('from', 'k', Content.sparse(2 * GIB))
    store.bucket('from').objects.set('k', { ...made, checksum })
    expect(await copyAll()).toMatchObject({ copied: 1, failures: [] })
    return store.get('to', 'k')?.checksum
  }

  test.each(['SHA1', 'SHA256'] as const)(
    'a checksum that can only be one of parts keeps its algorithm: %s',
    async (algorithm) => {
      const checksum = { algorithm, type: 'FULL_OBJECT', value: 'eA==' } as const
      expect(await checksumOfCopy(checksum)).toMatchObject({ algorithm, type: 'COMPOSITE' })
    },
  )

  test.each(['CRC32', 'CRC32C'] as const)(
    'a checksum of parts, which the copy has others of, becomes one of all bytes: %s',
    async (algorithm) => {
      const checksum = { algorithm, type: 'COMPOSITE', value: 'eHh4eA==-9' } as const
      expect(await checksumOfCopy(checksum)).toMatchObject({ algorithm, type: 'FULL_OBJECT' })
    },
  )

  test.each(['SHA512', 'MD5'] as const)(
    'a checksum of which it is not known what uploads take of it becomes S3’s own: %s',
    async (algorithm) => {
      const checksum = { algorithm, type: 'FULL_OBJECT', value: 'eA==' } as const
      expect(await checksumOfCopy(checksum)).toMatchObject({ algorithm: 'CRC64NVME', type: 'FULL_OBJECT' })
    },
  )
})

describe('when the time runs out', () => {
  const parts = 20
  /** The clock passes the deadline with the nth part. */
  const runOutAt = (nth: number) => {
    onCall = ({ operation }, count) => {
      if (operation === 'UploadPartCopy' && count === nth) clock.at = 1e9
      return undefined
    }
  }

  test('a later task goes on with the parts that are there', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB))
    runOutAt(8)
    const first = await copyAll({ deadline: 1e8 })
    expect(first).toMatchObject({ copied: 0, failures: [], late: [{ key: 'k', size: 5 * GIB }] })
    expect(first.late[0]?.upload).toMatch(/./)
    expect([...first.further]).toEqual(first.late)
    const none = await copyThem(first.late, { ...setting, deadline: 0 })
    expect([none.late, none.further.size]).toEqual([first.late, 0])
    const copied = calls.UploadPartCopy ?? 0
    expect(copied).toBeLessThan(parts)
    onCall = () => undefined
    expect(await copyThem(first.late, { ...setting, deadline: 2e9 })).toMatchObject({
      copied: 1,
      bytes: 5 * GIB,
    })
    expect(calls).toMatchObject({
      UploadPartCopy: parts,
      CreateMultipartUpload: 1,
      CompleteMultipartUpload: 1,
    })
    expect(store.get('to', 'k')?.content.md5).toBe(store.get('from', 'k')?.content.md5)
  })

  test.each([30, 160])(
    'an upload that S3 refuses to join after %i s each time is refused: its rounds come to an end',
    async (seconds) => {
      store.put('from', 'k', Content.sparse(5 * GIB))
      onCall = ({ operation }) => {
        if (operation !== 'CompleteMultipartUpload') return undefined
        clock.at += seconds * 1000
        return { kind: 'error', code: 'InternalError' }
      }
      let objects = await listAll(setting.url, 'from')
      for (let round = 0; round < 2; round++) {
        const { late, refused } = await copyThem(objects, { ...setting, deadline: clock.at + 290_000 })
        expect(late).toEqual([])
        expect(refused).toMatchObject([
          { object: { upload: expect.any(String) }, failure: { code: 'InternalError' } },
        ])
        objects = refused.map(({ object }) => object)
      }
    },
  )

  test('an upload with new parts is kept when S3 has its join slow down, also in the last round', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB))
    onCall = ({ operation }, nth) => {
      if (operation === 'UploadPartCopy' && nth === parts) clock.at += 60_000
      return operation === 'CompleteMultipartUpload' ? { kind: 'error', code: 'SlowDown' } : undefined
    }
    const { further, failures } = await copyAll({ deadline: 290_000, isLast: true })
    expect([further.size, failures]).toEqual([1, []])
    expect(uploads()).toBe(1)
  })

  test('new parts that are not joined in time count as getting further', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB))
    onCall = ({ operation }, nth) => {
      if (operation === 'UploadPartCopy' && nth === parts) clock.at = 6e7
      return undefined
    }
    const { late, further } = await copyAll({ deadline: 1e8 })
    expect(calls.CompleteMultipartUpload).toBeUndefined()
    expect([...further]).toEqual(late)
    expect(late).toHaveLength(1)
  })

  test('a task hands on an upload that got further as if S3 had never refused it', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB))
    runOutAt(8)
    const spawned: Task[] = []
    const s3 = clientOf(setting.url)
    await workOnCopyTask(
      newCopyTask('t.0', runOf(setting), await listAll(setting.url, 'from'), 5),
      {
        deadline: 1e8,
        signal: new AbortController().signal,
        spawn: async (_, make) => void spawned.push(make(`a.${spawned.length}`)),
        dispatch: async () => {},
      },
      { s3, pace: new Pace(clock), timing: clock, queueUrl: 'https://sqs/copy' },
    )
    await s3.close()
    expect(spawned).toMatchObject([{ round: 0, objects: [{ key: 'k', upload: expect.any(String) }] }])
  })

  test('of more parts than a page of ListParts holds, none is copied twice', async () => {
    store.put('from', 'k', Content.sparse(512 * GIB))
    runOutAt(1500)
    const { late } = await copyAll({ deadline: 1e8 })
    onCall = () => undefined
    expect(await copyThem(late, { ...setting, deadline: 2e9 })).toMatchObject({ copied: 1 })
    expect(calls).toMatchObject({ UploadPartCopy: 2048, ListParts: 2 })
  })

  test('the upload is dropped when the source has changed meanwhile, and the new version is copied', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB, 'old'))
    runOutAt(8)
    const { late } = await copyAll({ deadline: 1e8 })
    onCall = () => undefined
    store.put('from', 'k', Content.sparse(6 * GIB, 'new'))
    expect(await copyThem(late, { ...setting, deadline: 2e9 })).toMatchObject({ copied: 1, bytes: 6 * GIB })
    expect(store.get('to', 'k')?.content.md5).toBe(store.get('from', 'k')?.content.md5)
    expect(uploads()).toBe(0)
  })

  test('the new version is copied when the source has changed before the parts are joined', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB, 'old'))
    runOutAt(parts)
    const { late } = await copyAll({ deadline: 1e8 })
    expect(calls).toMatchObject({ UploadPartCopy: parts })
    onCall = () => undefined
    store.put('from', 'k', Content.sparse(5 * GIB, 'new'))
    expect(await copyThem(late, { ...setting, deadline: 2e9 })).toMatchObject({ copied: 1, failures: [] })
    expect(store.get('to', 'k')?.content.md5).toBe(store.get('from', 'k')?.content.md5)
    expect(uploads()).toBe(0)
  })

  test('an upload that a lifecycle has dropped meanwhile is begun anew', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB))
    runOutAt(8)
    const { late } = await copyAll({ deadline: 1e8 })
    onCall = () => undefined
    store.bucket('to').uploads.clear()
    expect(await copyThem(late, { ...setting, deadline: 2e9 })).toMatchObject({ copied: 1, failures: [] })
    expect(store.get('to', 'k')?.content.md5).toBe(store.get('from', 'k')?.content.md5)
  })

  test('a version that has become small by then is copied as a whole', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB, 'old'))
    runOutAt(8)
    const { late } = await copyAll({ deadline: 1e8 })
    onCall = () => undefined
    store.put('from', 'k', 'little')
    expect(await copyThem(late, { ...setting, deadline: 2e9 })).toMatchObject({ copied: 1 })
    expect(store.get('to', 'k')?.content.size).toBe(6)
    expect(uploads()).toBe(0)
  })

  test('what is under way at the very end is given up, and handed on', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB))
    const end = new AbortController()
    onCall = ({ operation }, nth) => {
      if (operation === 'UploadPartCopy' && nth === 5) end.abort()
      return undefined
    }
    const { late, refused } = await copyAll({ signal: end.signal })
    const objects = [...late, ...refused.map(({ object }) => object)]
    expect(objects).toMatchObject([{ key: 'k', upload: expect.any(String) }])
    onCall = () => undefined
    expect(await copyThem(objects, setting)).toMatchObject({ copied: 1 })
    expect(calls.CreateMultipartUpload).toBe(1)
  })

  test('each task gets on with the largest object that there can be, in the time that a function has', async () => {
    store.put('from', 'k', Content.sparse(50_000 * GIB))
    let objects = await listAll(setting.url, 'from')
    // With 64 parts under way, each then takes 20 s.
    onCall = ({ operation }) => {
      if (operation === 'UploadPartCopy') clock.at += 300
      return undefined
    }
    let tasks = 0
    for (; objects.length > 0; tasks++) {
      const before = calls.UploadPartCopy ?? 0
      const { copied, late } = await copyThem(objects, { ...setting, deadline: clock.at + 290_000 })
      expect(copied + late.length).toBe(1)
      expect(calls.UploadPartCopy).toBeGreaterThan(before)
      objects = late
    }
    expect(tasks).toBeGreaterThan(1)
    expect(calls).toMatchObject({ UploadPartCopy: 10_000, CreateMultipartUpload: 1 })
    expect(store.get('to', 'k')?.content.md5).toBe(store.get('from', 'k')?.content.md5)
  })

  test.each([
    ['five minutes', 290_000],
    ['a few seconds more than a part takes', 15_000],
  ])('a function of %s leaves joining to the next where it may be cut off', async (_, ms) => {
    store.put('from', 'k', Content.sparse(GIB + 1))
    // All parts have begun by then.
    onCall = ({ operation }, nth) => {
      if (operation === 'UploadPartCopy' && nth === 5) clock.at = 0.6 * ms
      return undefined
    }
    const { late } = await copyAll({ deadline: ms })
    expect(late).toMatchObject([{ key: 'k', upload: expect.any(String) }])
    expect(calls).toMatchObject({ UploadPartCopy: 5 })
    expect(calls.CompleteMultipartUpload).toBeUndefined()
    expect(await copyThem(late, { ...setting, deadline: clock.at + ms })).toMatchObject({ copied: 1 })
    expect(calls).toMatchObject({ UploadPartCopy: 5, CreateMultipartUpload: 1, CompleteMultipartUpload: 1 })
  })

  test('an object is not begun that could not end in time', async () => {
    store.put('from', 'k', Content.sparse(GIB))
    store.put('from', 'l', 'little')
    expect(await copyAll({ deadline: 10_000 })).toMatchObject({ copied: 1, late: [{ key: 'k' }] })
  })
})

test('an object that has changed since it was listed is not copied where that is to fail', async () => {
  store.put('from', 'k', Content.sparse(2 * GIB, 'old'))
  const objects = await listAll(setting.url, 'from')
  store.put('from', 'k', Content.sparse(2 * GIB, 'new'))
  const options: Options = { ifChanged: 'fail' }
  expect(await copyThem(objects, { ...setting, options })).toMatchObject({
    copied: 0,
    failures: [{ key: 'k', code: 'PreconditionFailed' }],
  })
  expect(store.get('to', 'k')).toBeUndefined()
})

test('an object that has shrunk since it was listed is copied as it is now, in one go', async () => {
  store.put('from', 'k', Content.sparse(6 * GIB), { storageClass: 'STANDARD_IA' })
  const objects = await listAll(setting.url, 'from')
  store.put('from', 'k', 'little')
  const result = await copyThem(objects, { ...setting, deadline: 290_000 })
  expect(result).toMatchObject({ copied: 1, bytes: 6, late: [] })
  expect(store.get('to', 'k')?.storageClass).toBe('STANDARD')
})

test('an object that has grown since it was listed, to more than one request can copy, is copied in parts', async () => {
  store.put('from', 'k', 'little')
  const objects = await listAll(setting.url, 'from')
  store.put('from', 'k', Content.sparse(6 * GIB))
  expect(await copyThem(objects, setting)).toMatchObject({ copied: 1, bytes: 6 * GIB, failures: [] })
  expect(store.get('to', 'k')?.content.md5).toBe(store.get('from', 'k')?.content.md5)
})

test('S3 may take its time to copy much, as a whole or as a part', async () => {
  store.put('from', 'whole', Content.sparse(GIB))
  store.put('from', 'parts', Content.sparse(2 * GIB))
  const s3 = clientOf(setting.url)
  const silences: unknown[] = []
  const noted = (input: object) => {
    if ('sourceKey' in input) silences.push('silenceMs' in input && input.silenceMs)
  }
  const attempt = { signal: new AbortController().signal, spawn: async () => {}, dispatch: async () => {} }
  await workOnCopyTask(
    newCopyTask('t.0', runOf(setting), await listAll(setting.url, 'from')),
    { ...attempt, deadline: 290_000 },
    {
      s3: {
        copyObject: (request) => {
          noted(request)
          return s3.copyObject(request)
        },
        perform: (operation, input) => {
          noted(input as object)
          return s3.perform(operation, input)
        },
      },
      pace: new Pace(clock),
      timing: clock,
      queueUrl: 'https://sqs/copy',
    },
  )
  await s3.close()
  expect(silences).toHaveLength(1 + 8)
  for (const silence of silences) expect(silence).toBeGreaterThan(60_000)
})

test('many large objects in one task are all copied, a few at a time', async () => {
  for (let index = 0; index < 40; index++) store.put('from', `k${index}`, Content.sparse(20 * GIB))
  store.put('from', 'little', 'x')
  let most = 0
  onCall = () => {
    most = Math.max(most, uploads())
    return undefined
  }
  expect(await copyAll()).toMatchObject({ copied: 41, failures: [] })
  expect(calls.UploadPartCopy).toBe(40 * 80)
  expect(most).toBeGreaterThan(1)
  expect(most).toBeLessThanOrEqual(8)
})

describe('while an object is copied in parts', () => {
  const atPart = (nth: number, what: () => void) => {
    onCall = ({ operation }, count) => {
      if (operation === 'UploadPartCopy' && count === nth) what()
      return undefined
    }
  }

  test('it changes: the copy is of the new version only', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB, 'old'))
    atPart(7, () => store.put('from', 'k', Content.sparse(5 * GIB, 'new')))
    expect(await copyAll()).toMatchObject({ copied: 1, failures: [] })
    expect(store.get('to', 'k')?.content.md5).toBe(Content.sparse(5 * GIB, 'new').md5)
    expect(uploads()).toBe(0)
  })

  test.each([
    ['InvalidArgument', 'Range specified is not valid for source object of size: 6'],
    ['InvalidRequest', 'The specified copy source is not supported as a byte-range copy source'],
  ] as const)(
    'it shrinks, and S3 looks at the range before the ETag (%s): copied as it is now',
    async (code, message) => {
      store.put('from', 'k', Content.sparse(5 * GIB))
      onCall = ({ operation }, nth) => {
        if (operation !== 'UploadPartCopy' || nth < 7) return undefined
        store.put('from', 'k', 'little')
        return { kind: 'error', code, message }
      }
      expect(await copyAll()).toMatchObject({ copied: 1, bytes: 6, failures: [] })
      expect([uploads(), store.get('to', 'k')?.content.size]).toEqual([0, 6])
    },
  )

  test('it changes, and that is to fail: reported, and nothing is left behind', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB, 'old'))
    atPart(7, () => store.put('from', 'k', Content.sparse(5 * GIB, 'new')))
    expect(await copyAll({ options: { ifChanged: 'fail' } })).toMatchObject({
      copied: 0,
      failures: [{ key: 'k', code: 'PreconditionFailed' }],
    })
    expect([uploads(), store.get('to', 'k')]).toEqual([0, undefined])
  })

  test('it is deleted: vanished, and nothing is left behind', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB))
    atPart(7, () => store.bucket('from').objects.delete('k'))
    expect(await copyAll()).toMatchObject({ copied: 0, vanished: 1, failures: [] })
    expect(uploads()).toBe(0)
  })

  test('the right to write is lost: reported once, and the parts that follow are not tried', async () => {
    store.put('from', 'k', Content.sparse(5000 * GIB))
    atPart(3, () => store.deny({ action: 's3:PutObject', bucket: 'to' }))
    expect(await copyAll()).toMatchObject({ copied: 0, failures: [{ key: 'k', code: 'AccessDenied' }] })
    expect(uploads()).toBe(0)
    expect(calls.UploadPartCopy).toBeLessThan(1000)
  })

  test('S3 says slow down for good: handed on with the upload, and dropped by the last task', async () => {
    store.put('from', 'k', Content.sparse(5 * GIB))
    onCall = ({ operation }, nth) =>
      operation === 'UploadPartCopy' && nth > 10 ? { kind: 'error', code: 'SlowDown' } : undefined
    // What got any further goes on as if it were late.
    const { late } = await copyAll()
    expect(late).toMatchObject([{ key: 'k', upload: expect.any(String) }])
    const { refused } = await copyThem(late, setting)
    expect(refused).toMatchObject([{ failure: { code: 'SlowDown' }, object: { upload: expect.any(String) } }])
    expect(uploads()).toBe(1)
    const objects = refused.map(({ object }) => object)
    expect(await copyThem(objects, { ...setting, isLast: true })).toMatchObject({
      refused: [{ object: { key: 'k' } }],
    })
    expect(uploads()).toBe(0)
  })

  const faults: [string, Fault][] = [
    ['an internal error', { kind: 'error', code: 'InternalError' }],
    ['an error in a success', { kind: 'error-in-200', code: 'InternalError' }],
    ['a success without a body', { kind: 'error-in-200' }],
    ['a reset before the work', { kind: 'reset', when: 'before' }],
    ['a reset after the work', { kind: 'reset', when: 'after' }],
    ['half an answer', { kind: 'truncated' }],
  ]
  test.each(faults)('every third request meets %s: the copy is right all the same', async (_, fault) => {
    store.put('from', 'k', Content.sparse(9 * GIB), { tags: new Map([['a', 'b']]) })
    const objects = await listAll(setting.url, 'from')
    let count = 0
    onCall = ({ operation }) =>
      operation !== 'AbortMultipartUpload' && ++count % 3 === 0 ? fault : undefined
    expect(await copyThem(objects, setting)).toMatchObject({ copied: 1, failures: [] })
    expect(store.get('to', 'k')?.content.md5).toBe(store.get('from', 'k')?.content.md5)
    expect(store.get('to', 'k')?.tags).toEqual(new Map([['a', 'b']]))
  })

  test('the answer to joining is lost: it is begun anew, since nobody can tell', async () => {
    store.put('from', 'k', Content.sparse(2 * GIB))
    onCall = ({ operation }, nth) =>
      operation === 'CompleteMultipartUpload' && nth === 1 ? { kind: 'reset', when: 'after' } : undefined
    expect(await copyAll()).toMatchObject({ copied: 1, failures: [] })
    expect(calls.CreateMultipartUpload).toBe(2)
  })

  test.each<[string, Fault]>([
    ['a conflict with somebody else’s write', { kind: 'error', code: 'ConditionalRequestConflict' }],
    ['a part that is another by now', { kind: 'error', code: 'InvalidPart' }],
  ])('joining meets %s: it is begun anew, and nothing is left behind', async (_, fault) => {
    store.put('from', 'k', Content.sparse(2 * GIB))
    let first: string | undefined
    onCall = ({ operation, query }) => {
      if (operation !== 'CompleteMultipartUpload') return undefined
      first ??= query.get('uploadId')
      return query.get('uploadId') === first ? fault : undefined
    }
    expect(await copyAll()).toMatchObject({ copied: 1, failures: [], refused: [] })
    expect(calls.CreateMultipartUpload).toBe(2)
    expect(uploads()).toBe(0)
  })

  test('S3 finds that the whole is not the source: reported, and nothing is left behind', async () => {
    store.put('from', 'k', Content.sparse(2 * GIB))
    onCall = ({ operation }) =>
      operation === 'CompleteMultipartUpload' ? { kind: 'error', code: 'BadDigest' } : undefined
    expect(await copyAll()).toMatchObject({ failures: [{ key: 'k', code: 'BadDigest' }] })
    expect([uploads(), store.get('to', 'k')]).toEqual([0, undefined])
  })

  test('somebody else has written it, and nothing is to be overwritten: skipped', async () => {
    store.put('from', 'k', Content.sparse(2 * GIB))
    atPart(3, () => store.put('to', 'k', 'theirs'))
    expect(await copyAll({ options: { overwrite: 'never' } })).toMatchObject({
      copied: 0,
      skipped: 1,
      failures: [],
    })
    expect(store.get('to', 'k')?.content.size).toBe(6)
    expect(uploads()).toBe(0)
  })

  const unset: [string, Options, Partial<Attributes>][] = [
    ['annotations', { annotations: 'copy' }, { annotations: new Map([['a', '1']]) }],
    ['tags that are too many for a header', {}, { tags: manyTags }],
  ]
  test.each(unset)(
    'the time is up once it is joined, and nothing is to be overwritten: that it may lack %s is reported',
    async (_, more, attributes) => {
      store.put('from', 'k', Content.sparse(2 * GIB), attributes)
      const options: Options = { ...more, overwrite: 'never' }
      const end = new AbortController()
      onCall = ({ operation }) => {
        if (operation !== 'CompleteMultipartUpload') return undefined
        end.abort()
        return { kind: 'reset', when: 'after' }
      }
      const { refused } = await copyAll({ options, signal: end.signal })
      expect(store.get('to', 'k')?.content.size).toBe(2 * GIB)
      onCall = () => undefined
      const objects = refused.map(({ object }) => object)
      expect(await copyThem(objects, { ...setting, options })).toMatchObject({
        copied: 0,
        skipped: 0,
        failures: [
          { key: 'k', code: 'IncompleteCopy', message: expect.stringMatching(/`overwrite: always`$/) },
        ],
      })
      expect(uploads()).toBe(0)
    },
  )
})

test('annotations that there was no time for are copied later, without the content', async () => {
  store.put('from', 'k', Content.sparse(2 * GIB), {
    annotations: new Map([
      ['a', '1'],
      ['b', '2'],
    ]),
  })
  const options = { annotations: 'copy' } as const
  outOfTimeAt('GetObjectAnnotation', 1e9)
  const { late } = await copyAll({ options, deadline: 1e8 })
  expect(late).toMatchObject([{ key: 'k', annotate: '' }])
  onCall = () => undefined
  expect(await copyThem(late, { ...setting, options, deadline: 2e9 })).toMatchObject({
    copied: 1,
    bytes: 2 * GIB,
  })
  expect(store.get('to', 'k')?.annotations).toEqual(
    new Map([
      ['a', '1'],
      ['b', '2'],
    ]),
  )
  expect(calls.CreateMultipartUpload).toBe(1)
})

test('when an annotation is removed before a later task goes on, it leaves none of the others out', async () => {
  // S3 says nothing of the order in which it lists them.
  const annotations = new Map(['日本 "1"', 'b', '🚀', 'a'].map((name) => [name, name]))
  store.put('from', 'k', Content.sparse(2 * GIB), { annotations })
  const options = { annotations: 'copy' } as const
  onCall = ({ operation }, nth) => {
    if (operation === 'GetObjectAnnotation' && nth === 4) clock.at = 1e9
    return undefined
  }
  const { late } = await copyAll({ options, deadline: 1e8 })
  const rest = new Map([...annotations].filter(([name]) => name !== 'b'))
  store.put('from', 'k', Content.sparse(2 * GIB), { annotations: rest })
  expect(await copyThem(late, { ...setting, options, deadline: 2e9 })).toMatchObject({ copied: 1 })
  expect(store.get('to', 'k')?.annotations).toEqual(annotations)
  expect(calls).toMatchObject({ GetObjectAnnotation: 5, PutObjectAnnotation: 4 })
})

test('when the source is deleted before its annotations are copied, the object is reported as incomplete', async () => {
  store.put('from', 'k', Content.sparse(2 * GIB), { annotations: new Map([['a', '1']]) })
  onCall = ({ operation }) => {
    if (operation === 'ListObjectAnnotations') store.bucket('from').objects.delete('k')
    return undefined
  }
  expect(await copyAll({ options: { annotations: 'copy' } })).toMatchObject({
    copied: 0,
    vanished: 0,
    failures: [{ key: 'k', code: 'IncompleteCopy' }],
  })
})

test('when the source is deleted before a later task copies the rest of them, the object is reported as incomplete', async () => {
  store.put('from', 'k', Content.sparse(2 * GIB), { annotations: new Map([['a', '1']]) })
  const options = { annotations: 'copy' } as const
  outOfTimeAt('GetObjectAnnotation', 1e9)
  const { late } = await copyAll({ options, deadline: 1e8 })
  expect(late).toMatchObject([{ key: 'k', annotate: '' }])
  store.bucket('from').objects.delete('k')
  expect(await copyThem(late, { ...setting, options, deadline: 2e9 })).toMatchObject({
    copied: 0,
    vanished: 0,
    failures: [{ key: 'k', code: 'IncompleteCopy' }],
  })
})

test('when the source is replaced before its annotations are copied, it is copied anew with those of now', async () => {
  store.put('from', 'k', Content.sparse(2 * GIB, 'old'), { annotations: new Map([['a', 'old']]) })
  onCall = ({ operation }, nth) => {
    if (operation === 'ListObjectAnnotations' && nth === 1)
      store.put('from', 'k', Content.sparse(2 * GIB, 'new'), { annotations: new Map([['b', 'new']]) })
    return undefined
  }
  expect(await copyAll({ options: { annotations: 'copy' } })).toMatchObject({ copied: 1, failures: [] })
  const copy = store.get('to', 'k')
  expect(copy?.content.md5).toBe(store.get('from', 'k')?.content.md5)
  expect(copy?.annotations).toEqual(new Map([['b', 'new']]))
})

test.each([
  ['large', Content.sparse(2 * GIB, 'new')],
  ['small', 'new'],
])(
  'where nothing is overwritten, and it is replaced before a later task copies the rest of them, by a %s one: its copy lacks some, which is reported',
  async (_, next) => {
    store.put('from', 'k', Content.sparse(2 * GIB, 'old'), { tags: manyTags })
    const options = { overwrite: 'never' } as const
    outOfTimeAt('CompleteMultipartUpload', 1e8)
    const { late } = await copyAll({ options, deadline: 1e8 })
    expect(late).toMatchObject([{ key: 'k', annotate: '' }])
    onCall = () => undefined
    store.put('from', 'k', next)
    expect(await copyThem(late, { ...setting, options, deadline: 2e9 })).toMatchObject({
      copied: 0,
      skipped: 0,
      failures: [{ key: 'k', code: 'IncompleteCopy' }],
    })
    expect(uploads()).toBe(0)
  },
)

test('when it is replaced before a later task copies the rest of them, and that runs out of time, a third copies the new one', async () => {
  store.put('from', 'k', Content.sparse(2 * GIB, 'old'), { tags: manyTags })
  outOfTimeAt('CompleteMultipartUpload', 1e8)
  const first = await copyAll({ deadline: 1e8 })
  store.put('from', 'k', Content.sparse(5 * GIB, 'new'), { tags: manyTags })
  let parts = 0
  onCall = ({ operation }) => {
    if (operation === 'UploadPartCopy' && ++parts === 5) clock.at = 2e8
    return undefined
  }
  const second = await copyThem(first.late, { ...setting, deadline: 2e8 })
  expect(second.late).toMatchObject([{ upload: expect.any(String) }])
  onCall = () => undefined
  expect(await copyThem(second.late, { ...setting, deadline: 3e8 })).toMatchObject({
    copied: 1,
    bytes: 5 * GIB,
  })
  expect(store.get('to', 'k')?.content.md5).toBe(store.get('from', 'k')?.content.md5)
  expect(uploads()).toBe(0)
})

test('when it is replaced before a later task copies the rest of them, it is copied anew', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `a${String(index).padStart(2, '0')}`)
  const many = (text: string) => ({ annotations: new Map(names.map((name) => [name, text])) })
  store.put('from', 'k', Content.sparse(2 * GIB, 'old'), many('old'))
  onCall = ({ operation }) => {
    if (operation === 'PutObjectAnnotation') clock.at += 1_000
    return undefined
  }
  const { late } = await copyAll({ options: { annotations: 'copy' }, deadline: 10_000 })
  expect(late).toHaveLength(1)
  store.put('from', 'k', Content.sparse(2 * GIB, 'new'), many('new'))
  expect(await copyThem(late, { ...setting, options: { annotations: 'copy' } })).toMatchObject({ copied: 1 })
  const copy = store.get('to', 'k')
  expect(copy?.content.md5).toBe(store.get('from', 'k')?.content.md5)
  expect(new Set(copy?.annotations.values())).toEqual(new Set(['new']))
})

test('an annotation that looks like an error of S3 is text like any other', async () => {
  const annotations = new Map([['a', '<Error><Code>NoSuchKey</Code></Error>']])
  store.put('from', 'k', Content.sparse(2 * GIB), { annotations })
  expect(await copyAll({ options: { annotations: 'copy' } })).toMatchObject({ copied: 1, failures: [] })
  expect(store.get('to', 'k')?.annotations).toEqual(annotations)
})

test('an annotation that is removed meanwhile is gone, and the others are copied', async () => {
  const annotations = new Map([
    ['a', '1'],
    ['b', '2'],
  ])
  store.put('from', 'k', Content.sparse(2 * GIB), { annotations })
  onCall = ({ operation }, nth) => {
    if (operation === 'GetObjectAnnotation' && nth === 1)
      store.put('from', 'k', Content.sparse(2 * GIB), { annotations: new Map([['b', '2']]) })
    return undefined
  }
  expect(await copyAll({ options: { annotations: 'copy' } })).toMatchObject({ copied: 1, failures: [] })
  expect(store.get('to', 'k')?.annotations).toEqual(new Map([['b', '2']]))
})

test('an upload that failed is dropped though S3 says slow down', async () => {
  store.put('from', 'k', Content.sparse(2 * GIB))
  onCall = ({ operation }, nth) => {
    if (operation === 'UploadPartCopy') return { kind: 'error', code: 'AccessDenied' }
    return operation === 'AbortMultipartUpload' && nth < 3 ? { kind: 'error', code: 'SlowDown' } : undefined
  }
  expect(await copyAll()).toMatchObject({ failures: [{ code: 'AccessDenied' }] })
  expect(uploads()).toBe(0)
})

test('tags that are too many for a header are set all the same, by either way', async () => {
  store.put('from', 'small', 'x', { tags: manyTags })
  store.put('from', 'large', Content.sparse(2 * GIB), { tags: manyTags })
  expect(await copyAll()).toMatchObject({ copied: 2, failures: [] })
  for (const key of ['small', 'large']) expect(store.get('to', key)?.tags).toEqual(manyTags)
})

test('as much metadata as an object can have goes along, by either way', async () => {
  const text = Buffer.from('日本').toString('latin1')
  // S3 counts names without their prefix: 2 KB together.
  const headers = new Map([
    ['content-type', 'text/plain'],
    ['x-amz-meta-__proto__', 'a'],
    ['x-amz-meta-text', text],
    ['x-amz-meta-long', 'x'.repeat(2048 - '__proto__a'.length - 'text'.length - text.length - 'long'.length)],
  ])
  store.put('from', 'small', 'x', { headers })
  store.put('from', 'large', Content.sparse(2 * GIB), { headers })
  expect(await copyAll()).toMatchObject({ copied: 2, failures: [] })
  for (const key of ['small', 'large']) expect(new Map(store.get('to', key)?.headers)).toEqual(headers)
})
