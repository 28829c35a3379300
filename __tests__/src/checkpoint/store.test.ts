import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeEach, expect, test } from '@jest/globals'
import { type Checkpoint, encodeCheckpoint } from '../../../src/checkpoint/checkpoint.ts'
import { UserError } from '../../../src/errors.ts'
import { checkpointOf, FakeS3, named, runOf } from './support.ts'

let s3: FakeS3
beforeEach(() => {
  s3 = new FakeS3()
})

test('what is written is read again, whatever keys it names', async () => {
  const checkpoint = {
    ...checkpointOf(runOf('r')),
    unlisted: [
      ['seed.0', { part: { prefix: '日\u2028', ranges: [{ after: '\uffff🚀' }] }, code: 'X', message: '"' }],
    ] as ReturnType<typeof checkpointOf>['unlisted'],
  }
  const etag = await s3.store().write(checkpoint, undefined)
  expect(await s3.store().read()).toEqual({ checkpoint, etag })
})

test('nothing is read where nothing is', async () => {
  expect(await s3.store().read()).toBeUndefined()
})

test('a checkpoint is written over the expected one only', async () => {
  const checkpoint = checkpointOf(runOf('r'))
  const other = checkpointOf(runOf('r'), 'other')
  const etag = await s3.store().write(checkpoint, undefined)
  expect(await s3.store().write(other, undefined)).toBeUndefined()
  expect(await s3.store().write(other, '"of something else"')).toBeUndefined()
  expect(await s3.store().write({ ...other, savedAt: 1 }, etag)).toBeDefined()
})

test('a checkpoint is removed by who knows the last one only, and one that somebody has gone on from stays', async () => {
  const store = s3.store()
  const [over, next] = ['over', 'next'].map((id) => ({
    ...checkpointOf(runOf(id)),
    segments: [['a', 1]] as [string, number][],
  })) as [Checkpoint, Checkpoint]
  await store.writeSegment('a', 0, Buffer.from('1'))
  const etag = (await store.write(over, undefined)) ?? ''
  const later = (await store.write(next, etag)) ?? ''
  await store.remove({ checkpoint: over, etag })
  expect((await store.read())?.checkpoint.run.id).toBe('next')
  expect(s3.objects.size).toBe(2)
  await store.remove({ checkpoint: next, etag: later })
  expect(s3.objects.size).toBe(0)
  // Twice: a removal whose answer got lost is repeated by the SDK.
  await store.remove({ checkpoint: next, etag: later })
})

test('a write whose answer got lost, and which finds itself when it is repeated, has succeeded', async () => {
  const checkpoint = checkpointOf(runOf('r'))
  let lost = false
  s3.disturb = (moment, command) => {
    if (lost || moment === 'before' || command !== 'PutObjectCommand') return
    lost = true
    // What the SDK's second try gets for the same request.
    throw named('PreconditionFailed')
  }
  const etag = await s3.store().write(checkpoint, undefined)
  expect(etag).toBe((await s3.store().read())?.etag)
})

test('a write that meets another under way, after which nothing else is there, is made again', async () => {
  const store = s3.store()
  const refuseOnce = () => {
    let refused = false
    s3.disturb = (moment, command) => {
      if (refused || moment === 'after' || command !== 'PutObjectCommand') return
      refused = true
      throw named('ConditionalRequestConflict')
    }
  }
  const first = checkpointOf(runOf('r'))
  const next = { ...first, savedAt: 1 }
  refuseOnce()
  const etag = await store.write(first, undefined)
  expect(etag).toBeDefined()
  refuseOnce()
  expect(await store.write(next, etag)).toBeDefined()
  expect((await store.read())?.checkpoint).toEqual(next)
})

test('a write that keeps meeting others is given up', async () => {
  let writes = 0
  s3.disturb = (moment, command) => {
    if (moment === 'after' || command !== 'PutObjectCommand') return
    writes++
    throw named(writes < 20 ? 'ConditionalRequestConflict' : 'TooMany')
  }
  expect(await s3.store().write(checkpointOf(runOf('r')), undefined)).toBeUndefined()
})

test('more segments than S3 deletes at once are removed', async () => {
  const store = s3.store()
  for (let number = 0; number < 2_500; number++) await store.writeSegment('a', number, Buffer.from('1'))
  await store.removeSegments({ ...checkpointOf(runOf('r')), segments: [['a', 2_500]] })
  expect(s3.objects.size).toBe(0)
})

test('an error that is no conflict is thrown', async () => {
  s3.disturb = () => {
    throw named('ExpiredToken')
  }
  await expect(s3.store().write(checkpointOf(runOf('r')), undefined)).rejects.toThrow('ExpiredToken')
  await expect(s3.store().read()).rejects.toThrow('ExpiredToken')
})

test('segments come in the order of their watchers, and are removed with the checkpoint; others stay', async () => {
  const store = s3.store()
  await store.writeSegment('a', 0, Buffer.from('1'))
  await store.writeSegment('a', 1, Buffer.from('2'))
  await store.writeSegment('b', 0, Buffer.from('3'))
  await store.writeSegment('a', 2, Buffer.from('of a crash'))
  await s3.store('runs/stack/other/').write(checkpointOf(runOf('other')), undefined)
  const checkpoint = {
    ...checkpointOf(runOf('r')),
    segments: [
      ['a', 2],
      ['b', 1],
    ] as [string, number][],
  }
  const etag = (await store.write(checkpoint, undefined)) ?? ''
  const texts: string[] = []
  for await (const bytes of store.segments(checkpoint)) texts.push(Buffer.from(bytes).toString())
  expect(texts).toEqual(['1', '2', '3'])
  await store.remove({ checkpoint, etag })
  expect([...s3.objects.keys()]).toEqual([
    'runs/stack/key/failures-a-2.ndjson',
    'runs/stack/other/run.json.gz',
  ])
})

test('a run of another version of the action is told with what to do about it', async () => {
  const text = gunzipSync(await encodeCheckpoint(checkpointOf(runOf('r')))).toString()
  for (const [from, to] of [
    ['"format":1', '"format":2'],
    ['"protocol":', '"protocol":9'],
  ] as const) {
    expect(text).toContain(from)
    s3.objects.set('runs/stack/key/run.json.gz', { bytes: gzipSync(text.replace(from, to)), etag: 'e' })
    await expect(s3.store().read()).rejects.toThrow(UserError)
    await expect(s3.store().read()).rejects.toThrow(
      /another version of this action.*delete its queue queue-of-r and s3:\/\/artifacts\/runs\/stack\/key\/run\.json\.gz/,
    )
  }
})

test('what is not a checkpoint is named, with what to do about it', async () => {
  const zipped = ['null', '{}', '{"run":{"id":"../../x"}}', '{"run":{"id":["a"]}}'].map((text) =>
    gzipSync(text),
  )
  for (const bytes of [Buffer.from(''), Buffer.from('not gzip'), ...zipped]) {
    s3.objects.set('runs/stack/key/run.json.gz', { bytes, etag: 'e' })
    await expect(s3.store().read()).rejects.toThrow(UserError)
    await expect(s3.store().read()).rejects.toThrow(
      /s3:\/\/artifacts\/runs\/stack\/key\/run\.json\.gz is not a checkpoint/,
    )
  }
})
