import type { SQSClient } from '@aws-sdk/client-sqs'
import { describe, expect, test } from '@jest/globals'
import { queueExists } from '../../aws/queue.ts'

const QUEUE = 'https://sqs/1/copy'
const sqs = (send: () => Promise<object>) => ({ send }) as unknown as SQSClient
const failing = (name: string) =>
  sqs(async () => {
    throw Object.assign(new Error('no'), { name })
  })

describe('a queue', () => {
  test.each(['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'])(
    'is gone when SQS says %s',
    async (name) => {
      expect(await queueExists(failing(name), QUEUE)).toBe(false)
    },
  )

  test('is not taken to be gone when SQS can’t be asked', async () => {
    await expect(queueExists(failing('RequestThrottled'), QUEUE)).rejects.toThrow('no')
  })
})
