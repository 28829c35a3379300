import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { contentBytes, NO_CONTENTS, withObject } from '../../protocol/contents.ts'
import { asciiJson, decodeKey, encodeKey } from '../../protocol/encoding.ts'
import { TASK_BYTES } from '../../protocol/limits.ts'
import { MalformedMessageError, PROTOCOL } from '../../protocol/message.ts'
import { decodeOutcome, encodeOutcome, type Outcome } from '../../protocol/outcome.ts'
import type { Options, Run } from '../../protocol/run.ts'
import {
  decodeTask,
  encodeTask,
  type Listed,
  newCopyTask,
  newListTask,
  traceOf,
} from '../../protocol/task.ts'

const run: Run = {
  id: '20260101-000000-abcd',
  queue: 'https://sqs.eu-west-1.amazonaws.com/123456789012/s3-71-run-1',
  source: { bucket: 'from', prefix: 'a+b/' },
  destination: { bucket: 'to', prefix: '日/' },
  batchSize: 250,
}

/** Any key that S3 takes: valid Unicode, 1 to 1,024 bytes of UTF-8. */
const key = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom('/', '+', '%', '\u0001', '\ufffe', '\uffff', '🚀', '"', '\\'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 40,
  })
  .filter((text) => Buffer.byteLength(text) <= 1024 && text.isWellFormed())

/** What SQS takes in a message body (API reference, SendMessage). */
const SQS_TEXT = /^[\x09\x0a\x0d\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u

describe('tasks', () => {
  test('a copy task survives the queue with any key', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ key, size: fc.maxSafeNat() }), { maxLength: 20 }), (objects) => {
        const task = newCopyTask('a.1', run, objects, 2)
        const body = encodeTask(task)
        expect(body).toMatch(/^[\x20-\x7e]*$/)
        expect(decodeTask(body)).toEqual(task)
      }),
    )
  })

  test('a list task survives the queue with any ranges', () => {
    const bound = fc.option(key, { nil: undefined })
    fc.assert(
      fc.property(
        key,
        bound,
        bound,
        fc.option(
          fc.record({ began: fc.maxSafeNat(), shares: fc.integer({ min: 1 }), found: fc.maxSafeNat() }),
          { nil: undefined },
        ),
        (prefix, after, upTo, listing) => {
          const ranges = [{ upTo: after }, { after, upTo, token: 'AQ+/=' }]
          const task = newListTask('seed.0', run, { prefix, ranges }, listing)
          const body = encodeTask(task)
          expect(body).toMatch(SQS_TEXT)
          const read = decodeTask(body)
          expect(read).toEqual(task)
        },
      ),
    )
  })

  test('nothing that is said of a run or an object gets lost in the queue', () => {
    const options: Required<Options> = {
      tags: 'skip',
      annotations: 'copy',
      websiteRedirects: 'copy',
      storageClass: 'GLACIER_IR',
      sse: 'aws:kms',
      sseKmsKey: 'arn:aws:kms:eu-west-1:123456789012:key/1',
      acl: 'bucket-owner-full-control',
      overwrite: 'if-newer',
      ifChanged: 'fail',
      archived: 'skip',
      requestPayer: 'requester',
      sourceOwner: '1',
      destinationOwner: '2',
    }
    const whole: Required<Run> = { ...run, options, origin: 'another-run/a.0' }
    const object: Required<Listed> = {
      key: 'k',
      size: 1,
      etag: 'e',
      storageClass: 'DEEP_ARCHIVE',
      archived: true,
      upload: 'u',
      annotate: '',
    }
    const task = newCopyTask('a.1', whole, [object])
    expect(decodeTask(encodeTask(task))).toEqual(task)
  })

  test('contentBytes says how much objects add to a body, never too little', () => {
    const empty = encodeTask(newCopyTask('a.1', run, [])).length
    fc.assert(
      fc.property(key, fc.array(fc.record({ key, size: fc.maxSafeNat() })), (folder, listed) => {
        const objects = listed.map((object) => ({ ...object, key: folder + object.key }))
        const body = encodeTask(newCopyTask('a.1', run, objects)).length
        const bytes = contentBytes(objects.reduce(withObject, NO_CONTENTS))
        expect(body - empty).toBeLessThanOrEqual(bytes)
        expect(bytes).toBeLessThanOrEqual(body - empty + 1)
      }),
    )
  })

  test('what keys begin with is written once, even when it ends within a letter', () => {
    const folder = '長い名前のフォルダー/'.repeat(10)
    const objects = ['あ', 'い', 'う'].map((name) => ({ key: folder + name, size: 1 }))
    const body = encodeTask(newCopyTask('a.1', run, objects))
    expect(body.length).toBeLessThan(1.5 * encodeKey(folder).length)
    expect(decodeTask(body)).toMatchObject({ objects })
  })

  const good = JSON.parse(encodeTask(newCopyTask('a.1', run, [{ key: 'k', size: 1 }]))) as Record<
    string,
    unknown
  >
  test.each([
    ['not JSON', 'hello', /not JSON/],
    ['an empty body', '', /not JSON/],
    ['null', 'null', /no version/],
    ['no version', JSON.stringify({ ...good, v: undefined }), /no version/],
    ['another version', JSON.stringify({ ...good, v: PROTOCOL + 1 }), /version 2/],
    ['another kind', JSON.stringify({ ...good, kind: 'move' }), /kind/],
    ['no text that keys begin with', JSON.stringify({ ...good, begin: undefined }), /begin/],
    [
      'a text that no key begins with',
      JSON.stringify({ ...good, begin: 'x'.repeat(4_000) }),
      /begin: is too long/,
    ],
    [
      'more than fits in memory',
      JSON.stringify({ ...good, begin: 'x'.repeat(3_000), objects: Array(50_000).fill(['', 1]) }),
      /begin: is too long/,
    ],
    ['no objects', JSON.stringify({ ...good, objects: undefined }), /objects/],
    ['a size that is no number', JSON.stringify({ ...good, objects: [['k', '1']] }), /objects\.0\.1/],
    ['a size that is no whole number', JSON.stringify({ ...good, objects: [['k', 0.5]] }), /objects\.0\.1/],
    ['a key that is no text', JSON.stringify({ ...good, objects: [[5, 1]] }), /objects\.0\.0/],
    ['tasks without objects', encodeTask(newCopyTask('a.1', { ...run, batchSize: 0 }, [])), /run\.batchSize/],
    [
      'a listing that nobody shares',
      encodeTask(newListTask('a.1', run, { prefix: '', ranges: [] }, { began: 0, shares: 0, found: 0 })),
      /listing\.shares/,
    ],
    ['a negative size', JSON.stringify({ ...good, objects: [['k', -1]] }), /objects\.0\.1/],
    [
      'a key that is not percent-encoded',
      JSON.stringify({ ...good, objects: [['%zz', 1]] }),
      /objects\.0\.0/,
    ],
    ['no run', JSON.stringify({ ...good, run: undefined }), /run/],
    // SQS takes none of them for a message group.
    ...['', 'a run', 'rün', 'r'.repeat(129)].map((id): [string, string, RegExp] => [
      `a run whose id is ${JSON.stringify(id)}`,
      encodeTask(newCopyTask('a.1', { ...run, id }, [])),
      /run\.id: "is no id of a run"/,
    ]),
  ])('refuses %s', (_, body, why) => {
    expect(() => decodeTask(body)).toThrow(MalformedMessageError)
    expect(() => decodeTask(body)).toThrow(why)
  })

  test('refuses any text without another error than its own', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        expect(() => decodeTask(body)).toThrow(MalformedMessageError)
      }),
    )
  })
})

describe('traceOf', () => {
  test('names the run, the task and the objects of a task of any version', () => {
    const body = JSON.stringify({ v: 99, id: 'a.1', run: { id: 'r' }, objects: [1, 2, 3] })
    expect(traceOf(body)).toEqual({ runId: 'r', taskId: 'a.1', objects: 3 })
  })

  test('names the run when nothing else can be read', () => {
    expect(traceOf(JSON.stringify({ run: { id: 'r' }, id: 5, objects: 'x' }))).toEqual({
      runId: 'r',
      taskId: undefined,
      objects: 0,
    })
  })

  test('knows nothing of other texts, and never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (body) => traceOf(body) === undefined))
  })
})

describe('outcomes', () => {
  const counts: Omit<Outcome, 'failures'> = {
    v: PROTOCOL,
    kind: 'copy',
    task: 'a.1',
    attempt: 'b',
    children: 1,
    listed: 0,
    copied: 3,
    skipped: 1,
    vanished: 1,
    reclassed: 2,
    bytes: 2 ** 50,
  }

  test('survive the run queue with any key and message', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ key, code: fc.string(), message: fc.string({ unit: 'binary' }) })),
        (failures) => {
          const outcome: Outcome = { ...counts, failures }
          const body = encodeOutcome(outcome)
          expect(body).toMatch(/^[\x20-\x7e]*$/)
          expect(decodeOutcome(body)).toEqual(outcome)
        },
      ),
    )
  })

  test('survive the run queue with what could not be listed', () => {
    const ranges = [{ after: 'ü', upTo: '日' }, { token: 'AQ+/=' }]
    const unlisted = { part: { prefix: '100 %/', ranges }, code: 'AccessDenied', message: 'no' }
    const outcome: Outcome = { ...counts, failures: [], unlisted }
    expect(decodeOutcome(encodeOutcome(outcome))).toEqual(outcome)
  })

  test('fit into a message when S3 says much of each of many objects: reasons are shortened as far as it takes', () => {
    const failures = Array.from({ length: 1000 }, (_, index) => ({
      key: `${index}`.padEnd(110, '0'),
      code: 'AccessDenied',
      message: `${index} is not authorized to perform "s3:GetObject": ${'x'.repeat(150)}`,
    }))
    const task = newCopyTask(
      'a.1',
      run,
      failures.map(({ key }) => ({ key, size: 1 })),
    )
    expect(encodeTask(task).length).toBeLessThanOrEqual(TASK_BYTES)
    const body = encodeOutcome({ ...counts, failures })
    expect(body.length).toBeLessThanOrEqual(256 * 1024)
    const told = decodeOutcome(body).failures
    expect(told).toHaveLength(1000)
    for (const [index, { key, code, message }] of failures.entries()) {
      expect(told[index]).toMatchObject({ key, code })
      expect(message.startsWith(told[index]?.message ?? '?')).toBe(true)
      expect(told[index]?.message).toMatch(/"s3:GetObject"/)
    }
  })

  test('that name more children than can report are refused: nobody could wait for their end', () => {
    const none = { begin: '', failures: [] }
    const body = JSON.stringify({ ...counts, ...none, children: 10_000_001 })
    expect(() => decodeOutcome(body)).toThrow(/children/)
  })

  test('of another version are refused', () => {
    expect(() => decodeOutcome(JSON.stringify({ v: 2, kind: 'copy' }))).toThrow(/version 2/)
  })
})

test('keys survive percent-encoding, which leaves only printable ASCII', () => {
  fc.assert(
    fc.property(key, (text) => {
      expect(encodeKey(text)).toMatch(/^[!-~]+$/)
      expect(decodeKey(encodeKey(text))).toBe(text)
    }),
  )
})

test('JSON for messages is as many bytes as it has characters, and reads as what it was', () => {
  const text = '\u007f\u00e9\u2028\uffff🚀'
  expect(asciiJson(text)).toMatch(/^[ -~]+$/)
  expect(JSON.parse(asciiJson(text))).toBe(text)
})
