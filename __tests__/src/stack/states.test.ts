import { StackStatus } from '@aws-sdk/client-cloudformation'
import { describe, expect, test } from '@jest/globals'
import type { Stack } from '../../../src/stack/outputs.ts'
import { adviceFor, conditionOf, hasMoved } from '../../../src/stack/states.ts'

const stack = (status: string, changedAt = 0): Stack => ({
  id: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/s3-71/1',
  name: 's3-71',
  status,
  statusReason: undefined,
  terminationProtection: false,
  changedAt,
  parameters: new Map(),
  tags: new Map(),
  outputs: new Map(),
})

describe('conditionOf', () => {
  test('no stack is absent', () => {
    expect(conditionOf(undefined)).toBe('absent')
  })

  test('every status of the SDK has its condition', () => {
    const found = Object.groupBy(Object.values(StackStatus), (status) => conditionOf({ status }))
    expect(found).toEqual({
      absent: ['DELETE_COMPLETE', 'REVIEW_IN_PROGRESS'],
      usable: [
        'CREATE_COMPLETE',
        'IMPORT_COMPLETE',
        'IMPORT_ROLLBACK_COMPLETE',
        'UPDATE_COMPLETE',
        'UPDATE_ROLLBACK_COMPLETE',
      ],
      broken: ['CREATE_FAILED', 'DELETE_FAILED', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED'],
      stuck: ['IMPORT_ROLLBACK_FAILED', 'UPDATE_FAILED', 'UPDATE_ROLLBACK_FAILED'],
      busy: expect.arrayContaining(['CREATE_IN_PROGRESS', 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS']),
    })
    expect(found.busy?.every((status) => status.endsWith('_IN_PROGRESS'))).toBe(true)
  })

  test('a status of a later CloudFormation is left to a person', () => {
    expect(conditionOf({ status: 'SOMETHING_NEW' })).toBe('stuck')
  })
})

test.each([
  ['UPDATE_ROLLBACK_FAILED', 'continue-update-rollback --stack-name s3-71'],
  ['UPDATE_FAILED', 'rollback-stack --stack-name s3-71'],
  ['IMPORT_ROLLBACK_FAILED', 'delete it'],
])('the advice for %s says what to do', (status, advice) => {
  expect(adviceFor({ name: 's3-71', status })).toContain(advice)
})

describe('hasMoved', () => {
  test.each([
    ['nothing happened', undefined, undefined, false],
    ['only a change set was made', undefined, stack('REVIEW_IN_PROGRESS'), false],
    ['somebody creates it', undefined, stack('CREATE_IN_PROGRESS'), true],
    ['somebody creates it from a change set', stack('REVIEW_IN_PROGRESS'), stack('CREATE_IN_PROGRESS'), true],
    ['it rests', stack('CREATE_COMPLETE'), stack('CREATE_COMPLETE'), false],
    ['somebody updates it', stack('CREATE_COMPLETE'), stack('UPDATE_IN_PROGRESS'), true],
    ['somebody has updated it', stack('UPDATE_COMPLETE', 1), stack('UPDATE_COMPLETE', 2), true],
    ['somebody has deleted it', stack('UPDATE_COMPLETE'), undefined, true],
  ])('%s', (_, before, after, moved) => {
    expect(hasMoved(before, after)).toBe(moved)
  })
})
