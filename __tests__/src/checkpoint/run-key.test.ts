import { describe, expect, test } from '@jest/globals'
import {
  defaultRunKey,
  differences,
  runFolder,
  type Subject,
  watcherName,
} from '../../../src/checkpoint/run-key.ts'
import { SUBJECT } from './support.ts'

const job = {
  GITHUB_SERVER_URL: 'https://github.test',
  GITHUB_REPOSITORY: 'o/r',
  GITHUB_RUN_ID: '7',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_JOB: 'copy',
  GITHUB_ACTION: '__o_s3-71-action',
}
const keyOf = (env: Record<string, string>, stack = 's', subject = SUBJECT) =>
  defaultRunKey(env, stack, subject, 'fallback')

describe('the key of a step', () => {
  test('is the same when the job is run again', () => {
    expect(keyOf({ ...job, GITHUB_RUN_ATTEMPT: '2' })).toBe(keyOf(job))
  })

  test.each(['GITHUB_REPOSITORY', 'GITHUB_RUN_ID', 'GITHUB_JOB', 'GITHUB_ACTION'])(
    'is another for another %s',
    (name) => {
      expect(keyOf({ ...job, [name]: 'other' })).not.toBe(keyOf(job))
    },
  )

  test('is another for each leg of a matrix that copies something else', () => {
    const parts = [{ prefix: '2024/', ranges: [{}] }]
    const keys = [
      keyOf(job),
      keyOf(job, 'other'),
      keyOf(job, 's', { ...SUBJECT, source: { bucket: 'from', prefix: 'a/' } }),
      keyOf(job, 's', { ...SUBJECT, parts }),
      keyOf(job, 's', { ...SUBJECT, options: { tags: 'skip' } }),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('is nobody else’s outside of GitHub', () => {
    expect(keyOf({})).toBe('fallback')
  })
})

test('the folder of a run is one that any bucket takes, for any key', () => {
  for (const key of ['a', '../..', '日本 🚀', 'x'.repeat(256)])
    expect(runFolder('s3-71', key)).toMatch(/^runs\/s3-71\/[0-9a-f]{32}\/$/)
  expect(runFolder('s', 'a')).not.toBe(runFolder('s', 'b'))
})

test('a watcher is named by what a person can open', () => {
  expect(watcherName(job, 1)).toBe('https://github.test/o/r/actions/runs/7/attempts/1')
  expect(watcherName({}, 12)).toBe('process 12')
})

test('differences are named as inputs, and what came through JSON is no difference', () => {
  expect(differences(SUBJECT, JSON.parse(JSON.stringify(SUBJECT)) as typeof SUBJECT)).toEqual([])
  expect(
    differences(SUBJECT, {
      ...SUBJECT,
      batchSize: 9,
      parts: [{ prefix: 'x', ranges: [{}] }],
      options: { websiteRedirects: 'copy' },
    }),
  ).toEqual(['prefixes', 'batch-size', 'website-redirects'])
})

test('an input in which runs differ has the name that it has in a workflow', () => {
  const key = (sseKmsKey: string): Subject => ({ ...SUBJECT, options: { sse: 'aws:kms', sseKmsKey } })
  expect(differences(key('one'), key('other'))).toEqual(['destination-kms-key'])
})
