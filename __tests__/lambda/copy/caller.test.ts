import { expect, test } from '@jest/globals'
import { Caller, OutOfTime, Refused, type Try } from '../../../lambda/copy/caller.ts'
import { Pace } from '../../../lambda/copy/pace.ts'
import { S3Error } from '../../../lambda/s3/index.ts'
import { Clock } from './support.ts'

/** A caller of which the time is up. */
function lateCaller(): Caller {
  const clock = new Clock()
  clock.at = 60_000
  const { signal } = new AbortController()
  return new Caller({ pace: new Pace(clock), timing: clock, deadline: 0, signal })
}

test('tidying up ends, though S3 does not answer and the time of the task is up', async () => {
  let tries = 0
  await lateCaller().tidy(({ signal }) => {
    tries++
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  })
  expect(tries).toBe(1)
})

test('tidying up is tried again where S3 refuses for the time being, a few times', async () => {
  let tries = 0
  await lateCaller().tidy(async () => {
    tries++
    throw new S3Error('SlowDown', 'Please reduce your request rate.', { status: 503 })
  })
  expect(tries).toBe(4)
})

test('S3 saying slow down for the first time late in a task is no reason to hand an object on at once', async () => {
  const clock = new Clock()
  const { signal } = new AbortController()
  const caller = new Caller({ pace: new Pace(clock), timing: clock, deadline: 290_000, signal })
  clock.at = 60_000
  let tries = 0
  const busy = new S3Error('SlowDown', 'Please reduce your request rate.', { status: 503 })
  const answer = await caller.call(async () => {
    if (++tries < 3) throw busy
    return 'done'
  })
  expect(answer).toBe('done')
  await expect(caller.call(() => Promise.reject(busy))).rejects.toThrow(Refused)
  expect(clock.at).toBeLessThan(90_000)
})

/** A call that S3 refuses every time, after so many milliseconds each; it has five minutes. */
async function refuse(code: string, ms: number) {
  const clock = new Clock()
  const { signal } = new AbortController()
  const caller = new Caller({ pace: new Pace(clock), timing: clock, deadline: 300_000, signal })
  let tries = 0
  const call = caller.call(() => {
    tries++
    clock.at += ms
    return Promise.reject(new S3Error(code, 'no', { status: code === 'SlowDown' ? 503 : 500 }))
  })
  const error = await call.catch((error: unknown) => error)
  return { error, tries, seconds: clock.at / 1000 }
}

test('S3 saying slow down is put up with for 45 s, however many tries that takes', async () => {
  const { error, tries, seconds } = await refuse('SlowDown', 50)
  expect(error).toBeInstanceOf(Refused)
  expect(seconds).toBeGreaterThanOrEqual(45)
  expect(seconds).toBeLessThan(50)
  expect(tries).toBeGreaterThan(20)
})

test('other refusals are put up with eight times', async () => {
  const { error, tries } = await refuse('InternalError', 50)
  expect(error).toBeInstanceOf(Refused)
  expect(tries).toBe(8)
})

test('a call whose refusals take up the time is refused: the next task would not get any further', async () => {
  const { error } = await refuse('InternalError', 100_000)
  expect(error).toMatchObject({ last: { code: 'InternalError' } })
})

test('nobody waits beyond the end of the time for another try', async () => {
  const clock = new Clock()
  const { signal } = new AbortController()
  const caller = new Caller({ pace: new Pace(clock), timing: clock, deadline: 1_000, signal })
  const busy = new S3Error('InternalError', 'no', { status: 500 })
  await expect(caller.call(() => Promise.reject(busy))).rejects.toThrow(OutOfTime)
  expect(clock.at).toBeLessThan(1_000)
})

test('S3 may be silent for as long as it takes to copy so many bytes, slowly', async () => {
  const clock = new Clock()
  const { signal } = new AbortController()
  const caller = new Caller({ pace: new Pace(clock), timing: clock, deadline: 300_000, signal })
  const silence = (bytes: number) => caller.call(async ({ silenceMs }: Try) => silenceMs, bytes)
  // The client's own limit.
  expect(await silence(1000)).toBeUndefined()
  // 20 MB a second.
  expect(await silence(1024 ** 3)).toBeGreaterThan(54_000)
  expect(await silence(5 * 1024 ** 3)).toBeGreaterThan(268_000)
})
