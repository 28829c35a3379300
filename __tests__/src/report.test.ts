import { afterEach, expect, jest, test } from '@jest/globals'
import { report } from '../../src/report.ts'
import type { Result } from '../../src/result.ts'
import { zero } from '../../src/totals.ts'
import { resultOf } from './result-of.ts'

const before = { ...process.env }
afterEach(() => {
  process.env = { ...before }
  process.exitCode = undefined
})

/** What the log says of a result. */
async function said(more: Partial<Result> = {}): Promise<string> {
  const lines: string[] = []
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(String(line))
    return true
  })
  try {
    await report(resultOf(more), true)
  } finally {
    write.mockRestore()
  }
  return lines.join('')
}

test('a summary that can’t be written is a warning, and no failure of the run', async () => {
  delete process.env.GITHUB_OUTPUT
  process.env.GITHUB_STEP_SUMMARY = '/nonexistent/summary'
  const log = await said()
  expect(log).toMatch(/^::warning::The job summary could not be written/m)
  expect(log).not.toMatch(/^::error/m)
  expect(process.exitCode).toBeUndefined()
})

test('why a part of the source could not be listed, and which keys it holds, is in the log', async () => {
  delete process.env.GITHUB_OUTPUT
  delete process.env.GITHUB_STEP_SUMMARY
  const [code, message] = ['AccessDenied', 'no right to s3:ListBucket']
  const key = 'k'.repeat(1024)
  const some = {
    part: { prefix: 'logs/', ranges: [{ after: 'logs/a\n::error::b', upTo: key }] },
    code,
    message,
  }
  const log = await said({ unlisted: [some] })
  expect(log).toMatch(
    /^::error title=Source not listed::Keys that begin with logs\/, after logs\/a\\u\{a\}::error::b, up to k+…: AccessDenied: no right to s3:ListBucket$/m,
  )
  expect(log).toMatch(/^::error::1 part of the source could not be listed.* Fix the cause first\. Run again/m)
  const all = await said({ unlisted: [{ part: { prefix: '', ranges: [{}] }, code, message }] })
  expect(all).toMatch(/::All keys: AccessDenied: no right to s3:ListBucket$/m)
})

test('the longest key leaves room for what S3 says of it', async () => {
  delete process.env.GITHUB_OUTPUT
  delete process.env.GITHUB_STEP_SUMMARY
  const failure = { key: 'k'.repeat(1024), code: 'AccessDenied', message: 'no right to s3:PutObject' }
  const log = await said({
    totals: { ...zero(), listed: 1, failed: 1 },
    failures: [{ code: 'AccessDenied', count: 1, examples: [failure] }],
  })
  expect(log).toMatch(/::error title=Objects not copied::.*k{200}….*no right to s3:PutObject/)
})
