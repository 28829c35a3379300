import { beforeEach, describe, expect, test } from '@jest/globals'
import { type Attachment, type AttachOptions, attach } from '../../../src/checkpoint/attach.ts'
import type { Watcher } from '../../../src/checkpoint/checkpoint.ts'
import { LEASE_MS } from '../../../src/checkpoint/saver.ts'
import { UserError } from '../../../src/errors.ts'
import { checkpointOf, FakeS3, named, runOf, SUBJECT } from './support.ts'

let s3: FakeS3
let now: number
/** Queues that exist. */
let queues: Set<string>
/** Things that happen at a time. */
let plan: { at: number; what: () => Promise<unknown> }[]
/** Whom a step says it waits for. */
let waitedFor: string[]
beforeEach(() => {
  s3 = new FakeS3()
  now = 1_000_000
  queues = new Set()
  plan = []
  waitedFor = []
})

let runs = 0
const start = (watcher: string, more: Partial<AttachOptions> = {}): Promise<Attachment> =>
  attach({
    store: s3.store(),
    subject: SUBJECT,
    watcher: { id: watcher, name: `https://github.test/${watcher}` },
    wait: true,
    signal: new AbortController().signal,
    timing: {
      now: () => now,
      sleep: async (ms) => {
        now += ms
        for (const event of plan.splice(0)) {
          if (event.at <= now) await event.what()
          else plan.push(event)
        }
      },
    },
    onWait: (watcher) => waitedFor.push(watcher),
    createRun: async (subject) => {
      const run = runOf(`run-${runs++}`, subject)
      queues.add(run.queue)
      return run
    },
    deleteQueue: async (queue) => void queues.delete(queue),
    isGoingOn: async ({ queue }) => queues.has(queue),
    ...more,
  })

/** A write of the watcher, at a time of its clock. */
const write = async (savedAt: number, lease: Partial<Watcher>) => {
  const found = await s3.store().read()
  if (!found) throw new Error('there is no checkpoint')
  const watcher = { ...found.checkpoint.watcher, ...lease }
  await s3.store().write({ ...found.checkpoint, savedAt, watcher }, found.etag)
}
const renew = (until: number, more: Partial<Watcher> = {}) => write(now, { ...more, until })
const leaveAt = (at: number) => write(at, { until: at })

const runIdOf = (attachment: Attachment) =>
  attachment.how === 'aborted' ? undefined : attachment.checkpoint.run.id

test('starts a run where none is going on', async () => {
  const attachment = await start('a')
  expect(attachment.how).toBe('started')
  expect((await s3.store().read())?.checkpoint).toMatchObject({
    seeded: false,
    startedAt: now,
    watcher: { id: 'a', until: now + LEASE_MS },
  })
  expect(queues.size).toBe(1)
})

test('of several that start at once one gets the run, and the others leave no queue behind', async () => {
  const all = await Promise.all(['a', 'b', 'c'].map((watcher) => start(watcher, { wait: false })))
  expect(all.map(({ how }) => how).sort()).toEqual(['started', 'watched', 'watched'])
  expect(new Set(all.map(runIdOf)).size).toBe(1)
  expect(queues.size).toBe(1)
})

test('starts anew when the queue of the run before is gone, and clears up after it', async () => {
  const old = { ...checkpointOf(runOf('old')), segments: [['w', 2]] as [string, number][] }
  await s3.store().writeSegment('w', 0, Buffer.from('x'))
  await s3.store().writeSegment('w', 1, Buffer.from('x'))
  await s3.store().write(old, undefined)
  expect((await start('a')).how).toBe('started')
  expect([...s3.objects.keys()]).toHaveLength(1)
})

describe('a run that is going on', () => {
  beforeEach(async () => {
    await s3.store().write(checkpointOf(runOf('first'), 'w', now + LEASE_MS), undefined)
    queues.add('queue-of-first')
  })

  test('is left to a watcher that renews its lease, who is named', async () => {
    plan.push({ at: now + 30_000, what: () => renew(now + LEASE_MS) })
    const begun = now
    const attachment = await start('a')
    expect(attachment).toMatchObject({ how: 'watched', checkpoint: { watcher: { id: 'w' } } })
    expect(now - begun).toBeLessThan(60_000)
    expect(queues.size).toBe(1)
  })

  const expectTakenOverWithin = async (ms: number) => {
    const begun = now
    expect((await start('a')).how).toBe('attached')
    expect(now - begun).toBeLessThan(ms)
    expect((await s3.store().read())?.checkpoint.watcher.id).toBe('a')
  }

  test('is taken over at once from a watcher that leaves it', async () => {
    plan.push({ at: now + 30_000, what: () => leaveAt(now) })
    await expectTakenOverWithin(60_000)
  })

  test('is taken over from a watcher that does not wait for its end, when that has seeded it', async () => {
    plan.push({ at: now + 30_000, what: () => renew(now + LEASE_MS, { leaves: true }) })
    plan.push({ at: now + 50_000, what: () => leaveAt(now) })
    await expectTakenOverWithin(70_000)
  })

  test('is taken over at once from a watcher that leaves it and whose clock is ahead', async () => {
    plan.push({ at: now + 30_000, what: () => leaveAt(now + 3_000) })
    await expectTakenOverWithin(60_000)
  })

  test.each([true, false])(
    'is taken over at once where its watcher has left it, whatever its clock says (wait: %s)',
    async (wait) => {
      await leaveAt(now + 600_000)
      const begun = now
      expect((await start('a', { wait })).how).toBe('attached')
      expect(now).toBe(begun)
    },
  )

  test('is left in the end to a watcher that was not to stay, and does', async () => {
    for (let after = 30_000; after < 600_000; after += 30_000)
      plan.push({ at: now + after, what: () => renew(now + LEASE_MS, { leaves: true }) })
    const begun = now
    expect((await start('a')).how).toBe('watched')
    expect(now - begun).toBeLessThan(2 * LEASE_MS)
  })

  test('is taken over from a watcher that does not, not before its lease is over', async () => {
    const begun = now
    const attachment = await start('a')
    expect(attachment).toMatchObject({ how: 'attached', checkpoint: { run: { id: 'first' }, startedAt: 0 } })
    expect(now - begun).toBeGreaterThanOrEqual(LEASE_MS)
    expect(waitedFor).toHaveLength(1)
    expect((await s3.store().read())?.checkpoint.watcher).toMatchObject({ id: 'a', until: now + LEASE_MS })
  })

  test('is taken over though the clock of its dead watcher was hours ahead', async () => {
    await renew(now + 100 * LEASE_MS)
    const begun = now
    expect((await start('a')).how).toBe('attached')
    expect(now - begun).toBeLessThan(2 * LEASE_MS)
  })

  test('is not waited for by who is not to wait', async () => {
    const begun = now
    expect((await start('a', { wait: false })).how).toBe('watched')
    expect(now).toBe(begun)
    expect(waitedFor).toEqual([])
  })

  test('is taken over by one of several', async () => {
    now += LEASE_MS
    const all = await Promise.all(['a', 'b', 'c'].map((watcher) => start(watcher, { wait: false })))
    expect(all.map(({ how }) => how).sort()).toEqual(['attached', 'watched', 'watched'])
  })

  test('that ends while it is waited for makes room for a new one', async () => {
    plan.push({
      at: now + 10_000,
      what: async () => {
        queues.delete('queue-of-first')
        const found = await s3.store().read()
        if (found) await s3.store().remove(found)
      },
    })
    const attachment = await start('a')
    expect(attachment.how).toBe('started')
    expect(runIdOf(attachment)).not.toBe('first')
  })

  test('about something else is refused with the inputs that differ', async () => {
    const other = start('a', {
      subject: {
        ...SUBJECT,
        destination: { bucket: 'elsewhere', prefix: '' },
        options: { storageClass: 'GLACIER' },
      },
    })
    await expect(other).rejects.toThrow(UserError)
    await expect(other).rejects.toThrow(
      /in progress under this key, but its inputs differ: destination, storage-class\..*queue-of-first/,
    )
    expect(queues.size).toBe(1)
  })

  test('is let alone by a job that is cancelled while it waits', async () => {
    const cancel = new AbortController()
    plan.push({ at: now + 10_000, what: async () => cancel.abort() })
    expect(await start('a', { signal: cancel.signal })).toEqual({ how: 'aborted' })
    expect((await s3.store().read())?.checkpoint.watcher.id).toBe('w')
  })
})

test('a run whose checkpoint can’t be written leaves no queue', async () => {
  s3.disturb = (when, call) => {
    if (when === 'before' && call === 'PutObjectCommand') throw named('AccessDenied')
  }
  await expect(start('one')).rejects.toThrow('AccessDenied')
  expect(queues).toEqual(new Set())
})
