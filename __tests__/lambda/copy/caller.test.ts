import { expect, test } from '@jest/globals'
import { Caller, Refused } from '../../../lambda/copy/caller.ts'
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
