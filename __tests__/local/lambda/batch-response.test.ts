import { describe, expect, test } from '@jest/globals'
import { failedMessages } from '../../../local/lambda/batch-response.ts'

const IDS = ['a', 'b', 'c']

describe('the answer of a function with ReportBatchItemFailures', () => {
  test.each([
    ['null', null],
    ['an empty object', {}],
    ['no list', { batchItemFailures: null }],
    ['an empty list', { batchItemFailures: [] }],
  ])('%s: all succeeded', (_, answer) => {
    expect(failedMessages(JSON.stringify(answer), IDS)).toEqual(new Set())
  })

  test('names the messages that failed', () => {
    const answer = { batchItemFailures: [{ itemIdentifier: 'c' }, { itemIdentifier: 'a' }] }
    expect(failedMessages(JSON.stringify(answer), IDS)).toEqual(new Set(['a', 'c']))
  })

  test.each([
    ['a text', 'ok'],
    ['an object for the list', { batchItemFailures: {} }],
    ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['no identifier', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['another name for the identifier', { batchItemFailures: [{ messageId: 'a' }] }],
    [
      'an unknown message beside a known one',
      { batchItemFailures: [{ itemIdentifier: 'a' }, { itemIdentifier: 'x' }] },
    ],
    ['null in the list', { batchItemFailures: [null] }],
  ])('%s: all failed', (_, answer) => {
    expect(failedMessages(JSON.stringify(answer), IDS)).toEqual(new Set(IDS))
  })
})
