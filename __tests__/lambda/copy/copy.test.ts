import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { VirtualTime } from '../../../bench/simulation/virtual-time.ts'
import { copyObjects, destinationKey } from '../../../lambda/copy/copy.ts'
import { Pace } from '../../../lambda/copy/pace.ts'
import { workOnCopyTask } from '../../../lambda/copy/task.ts'
import { type CopyRequest, S3Error } from '../../../lambda/s3/index.ts'
import { MalformedMessageError } from '../../../protocol/message.ts'
import type { Run } from '../../../protocol/run.ts'
import { type Listed, newCopyTask, type Task } from '../../../protocol/task.ts'

const run: Run = {
  id: 'r',
  queue: 'https://sqs/run',
  source: { bucket: 'from', prefix: 'a/' },
  destination: { bucket: 'to', prefix: 'b/c/' },
  batchSize: 250,
}
const objects = (count: number): Listed[] =>
  Array.from({ length: count }, (_, index) => ({ key: `a/${index}`, size: 10 }))
const refusal = (code: string, status: number) => new S3Error(code, `${code} it was`, { status })

/** An S3 that answers each key by a script: the error of each try, and success when there is none left. */
function scriptedS3(time: VirtualTime, script: (key: string) => S3Error[], ms = 50) {
  const left = new Map<string, S3Error[]>()
  const requests: CopyRequest[] = []
  return {
    requests,
    perform: () => Promise.reject(refusal('NotFound', 404)),
    async copyObject(request: CopyRequest) {
      requests.push(request)
      await time.sleep(ms)
      const errors = left.get(request.sourceKey) ?? script(request.sourceKey)
      left.set(request.sourceKey, errors.slice(1))
      if (errors[0]) throw errors[0]
      return {} as never
    },
  }
}

/** What bounds a task's requests. */
function limits(time: VirtualTime, deadline = 1e9) {
  return { pace: new Pace(time), timing: time, deadline, signal: new AbortController().signal, isLast: false }
}

function copy(count: number, script: (key: string) => S3Error[], { deadline = 1e9, ms = 50 } = {}) {
  const time = new VirtualTime()
  const s3 = scriptedS3(time, script, ms)
  const result = time.run(
    copyObjects(newCopyTask('t.0', run, objects(count)), {
      s3,
      ...limits(time, deadline),
    }),
  )
  return { result, s3, time }
}

describe('copying the objects of a task', () => {
  test('each is copied once, to the destination prefix', async () => {
    const { result, s3 } = copy(3, () => [])
    expect(await result).toMatchObject({ copied: 3, bytes: 30, failures: [], late: [], refused: [] })
    expect(
      s3.requests.map(({ bucket, key, sourceBucket, sourceKey }) => [bucket, key, sourceBucket, sourceKey]),
    ).toEqual([0, 1, 2].map((index) => ['to', `b/c/${index}`, 'from', `a/${index}`]))
    expect(s3.requests[0]?.annotationDirective).toBe('EXCLUDE')
  })

  test.each([
    ['SlowDown', 503],
    ['InternalError', 500],
    ['RequestTimeout', 400],
    ['ConditionalRequestConflict', 409],
    ['ECONNRESET', 0],
    ['IncompleteAnswer', 200],
  ])('%s is tried again until it is copied', async (code, status) => {
    const { result, s3 } = copy(20, () => [refusal(code, status), refusal(code, status)])
    expect(await result).toMatchObject({ copied: 20, failures: [], refused: [] })
    expect(s3.requests).toHaveLength(60)
  })

  test.each([
    ['AccessDenied', 403],
    ['InvalidObjectState', 403],
    ['InvalidRequest', 400],
  ])('%s is reported with key, code and message, and not tried again', async (code, status) => {
    const { result, s3 } = copy(2, (key) => (key === 'a/1' ? [refusal(code, status)] : []))
    expect(await result).toMatchObject({
      copied: 1,
      failures: [{ key: 'a/1', code, message: `${code} it was` }],
    })
    expect(s3.requests).toHaveLength(2)
  })

  test('is reported with all that S3 says of a missing right: who, what, on what, and by which policy', async () => {
    const message = `User: arn:aws:sts::111122223333:assumed-role/s3-71/copy is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/${'k'.repeat(36)} because no resource-based policy allows the kms:Decrypt action`
    const { result } = copy(1, () => [new S3Error('AccessDenied', message, { status: 403 })])
    expect((await result).failures).toEqual([{ key: 'a/0', code: 'AccessDenied', message }])
  })

  test('an object that is gone by now is no failure', async () => {
    const { result, s3 } = copy(2, (key) => (key === 'a/1' ? [refusal('NoSuchKey', 404)] : []))
    expect(await result).toMatchObject({ copied: 1, vanished: 1, failures: [] })
    expect(s3.requests).toHaveLength(2)
  })

  test('what S3 keeps refusing is handed back with its last refusal', async () => {
    const { result } = copy(2, (key) => (key === 'a/0' ? Array(99).fill(refusal('SlowDown', 503)) : []))
    const { copied, refused } = await result
    expect(copied).toBe(1)
    expect(refused).toMatchObject([{ object: { key: 'a/0' }, failure: { code: 'SlowDown' } }])
  })

  test('nothing is begun after the deadline: what is late is handed back, and nothing is lost', async () => {
    const { result, time } = copy(300, () => [], { deadline: 300, ms: 200 })
    const { copied, late, failures, refused } = await result
    expect(copied + late.length).toBe(300)
    expect(late.length).toBeGreaterThan(0)
    expect([failures, refused]).toEqual([[], []])
    expect(time.now()).toBeLessThan(2_500)
  })

  test('a key that becomes too long is reported without a try', async () => {
    const time = new VirtualTime()
    const s3 = scriptedS3(time, () => [])
    const key = `a/${'x'.repeat(1021)}`
    const task = newCopyTask('t.0', run, [{ key, size: 1 }])
    const result = await time.run(copyObjects(task, { s3, ...limits(time) }))
    expect(result.failures).toMatchObject([{ key, code: 'KeyTooLongError' }])
    expect(s3.requests).toEqual([])
  })

  test('a key that is as long as can be under the destination prefix is copied', async () => {
    const time = new VirtualTime()
    const s3 = scriptedS3(time, () => [])
    const task = newCopyTask('t.0', run, [
      { key: `a/${'x'.repeat(1020)}`, size: 1 },
      { key: `a/${'é'.repeat(510)}`, size: 1 },
      { key: `a/${'é'.repeat(510)}x`, size: 1 },
    ])
    const result = await time.run(copyObjects(task, { s3, ...limits(time) }))
    expect(result).toMatchObject({ copied: 2, failures: [{ code: 'KeyTooLongError' }] })
    expect(s3.requests.map(({ key }) => Buffer.byteLength(key))).toEqual([1024, 1024])
  })

  test('a copy that would replace an object of the source is reported, and not made', async () => {
    const time = new VirtualTime()
    const s3 = scriptedS3(time, () => [])
    const upwards = { ...run, destination: { bucket: 'from', prefix: '' } }
    const task = newCopyTask('t.0', upwards, [
      { key: 'a/b', size: 1 },
      { key: 'a/a/b', size: 1 },
    ])
    const result = await time.run(copyObjects(task, { s3, ...limits(time) }))
    expect(result).toMatchObject({ copied: 1, failures: [{ key: 'a/a/b', code: 'InsideSource' }] })
    expect(s3.requests.map(({ key }) => key)).toEqual(['b'])
  })

  test('a marker of the source prefix itself has no place without a destination prefix: it is skipped', async () => {
    const time = new VirtualTime()
    const s3 = scriptedS3(time, () => [])
    const toRoot = { ...run, destination: { bucket: 'to', prefix: '' } }
    const task = newCopyTask('t.0', toRoot, [{ key: 'a/', size: 0 }])
    const result = await time.run(copyObjects(task, { s3, ...limits(time) }))
    expect(result).toMatchObject({ copied: 0, skipped: 1, failures: [] })
    expect(s3.requests).toEqual([])
  })

  test('a key outside the source refuses the task before anything is copied', async () => {
    const time = new VirtualTime()
    const s3 = scriptedS3(time, () => [])
    const task = newCopyTask('t.0', run, [...objects(2), { key: 'elsewhere', size: 1 }])
    const copying = copyObjects(task, { s3, ...limits(time) })
    await expect(copying).rejects.toThrow(MalformedMessageError)
    expect(s3.requests).toEqual([])
  })

  test('whatever S3 answers, every object is accounted for once', async () => {
    const answer = fc.constantFrom(
      refusal('SlowDown', 503),
      refusal('AccessDenied', 403),
      refusal('ECONNRESET', 0),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(answer, { maxLength: 12 }), { maxLength: 30 }),
        fc.nat(5_000),
        async (scripts, deadline) => {
          const { result } = copy(scripts.length, (key) => scripts[Number(key.slice(2))] ?? [], { deadline })
          const { copied, failures, late, refused } = await result
          expect(copied + failures.length + late.length + refused.length).toBe(scripts.length)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('a copy task', () => {
  async function work(script: (key: string) => S3Error[], round = 0, deadline = 1e9) {
    const time = new VirtualTime()
    const s3 = scriptedS3(time, script)
    const spawned: { task: Task; delay: number }[] = []
    const attempt = {
      deadline,
      dispatch: async () => {},
      signal: new AbortController().signal,
      spawn: async (_: string, make: (id: string) => Task, delay = 0) =>
        void spawned.push({ task: make(`attempt.${spawned.length}`), delay }),
    }
    const task = newCopyTask('t.0', run, objects(4), round)
    const deps = { s3, pace: new Pace(time), timing: time, queueUrl: 'https://sqs/copy' }
    return { result: await time.run(workOnCopyTask(task, attempt, deps)), spawned }
  }
  const always = () => Array(99).fill(refusal('SlowDown', 503)) as S3Error[]

  test('hands on what was refused, later each time', async () => {
    const first = await work((key) => (key === 'a/2' ? always() : []))
    expect(first.result).toMatchObject({ copied: 3, failures: [] })
    expect(first.spawned).toMatchObject([{ delay: 15, task: { round: 1, objects: [{ key: 'a/2' }] } }])
    expect((await work(always, 3)).spawned).toMatchObject([{ delay: 120, task: { round: 4 } }])
  })

  test('gives up on an object after the last round', async () => {
    const { result, spawned } = await work(always, 6)
    expect(result.failures.map(({ code }) => code)).toEqual(['SlowDown', 'SlowDown', 'SlowDown', 'SlowDown'])
    expect(spawned).toEqual([])
  })

  test('hands on what it had no time for at once, which does not count as a round', async () => {
    const { result, spawned } = await work(() => [], 2, 0)
    expect(result.copied).toBe(0)
    expect(spawned).toMatchObject([{ delay: 0, task: { round: 2, objects: objects(4) } }])
  })
})

test('a destination key is the source key under the other prefix', () => {
  expect(destinationKey('a/b', 'a/', 'x/')).toBe('x/b')
  expect(destinationKey('a/', 'a/', '')).toBe('')
  expect(() => destinationKey('b', 'a/', 'x/')).toThrow(/outside the source prefix/)
})

test('what is no answer of S3 ends the task: no other object is begun, and those under way end first', async () => {
  const time = new VirtualTime()
  let begun = 0
  let ended = 0
  const s3 = {
    perform: () => Promise.reject(refusal('NotFound', 404)),
    async copyObject({ sourceKey }: CopyRequest) {
      begun++
      const isMistaken = sourceKey === 'a/0'
      await time.sleep(isMistaken ? 50 : 200)
      ended++
      if (isMistaken) throw new TypeError('a mistake')
      return {} as never
    },
  }
  const copying = copyObjects(newCopyTask('t.0', run, objects(1000)), { s3, ...limits(time) })
  await expect(time.run(copying)).rejects.toThrow('a mistake')
  expect(begun).toBeLessThan(1000)
  expect(ended).toBe(begun)
})
