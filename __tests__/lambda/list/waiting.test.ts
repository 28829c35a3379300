import type { SQSClient } from '@aws-sdk/client-sqs'
import { describe, expect, test } from '@jest/globals'
import { waitingIn } from '../../../lambda/list/waiting.ts'

const QUEUE = 'https://sqs/1/copy'
const sqs = (send: () => Promise<object>) => ({ send }) as unknown as SQSClient

describe('how many messages wait', () => {
  test.each([
    ['3', 3],
    ['0', 0],
    [undefined, undefined],
    ['many', undefined],
  ])('%s: %s', async (ApproximateNumberOfMessages, count) => {
    const answering = sqs(async () => ({ Attributes: { ApproximateNumberOfMessages } }))
    expect(await waitingIn(QUEUE, answering)).toBe(count)
  })

  test('is not known when SQS can’t be asked', async () => {
    const refusing = sqs(async () => {
      throw new Error('no')
    })
    expect(await waitingIn(QUEUE, refusing)).toBeUndefined()
  })
})
