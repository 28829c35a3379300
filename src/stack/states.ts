import type { Stack } from './outputs.ts'

/**
 * What a stack's status leaves to do.
 *
 * - `absent`: there is nothing; it can be created. A stack in review has a change set and nothing else.
 * - `busy`: an operation is under way; wait for its end.
 * - `usable`: it can serve a run, and can be updated.
 * - `broken`: it can only be deleted.
 * - `stuck`: a person has to look after it.
 */
type Condition = 'absent' | 'busy' | 'usable' | 'broken' | 'stuck'

/** The stack statuses of the CloudFormation API reference (Stack, StackStatus) that have no rule of their own below. */
const CONDITIONS: Record<string, Condition> = {
  CREATE_COMPLETE: 'usable',
  UPDATE_COMPLETE: 'usable',
  UPDATE_ROLLBACK_COMPLETE: 'usable',
  IMPORT_COMPLETE: 'usable',
  IMPORT_ROLLBACK_COMPLETE: 'usable',
  CREATE_FAILED: 'broken',
  ROLLBACK_COMPLETE: 'broken',
  ROLLBACK_FAILED: 'broken',
  DELETE_FAILED: 'broken',
  REVIEW_IN_PROGRESS: 'absent',
  DELETE_COMPLETE: 'absent',
}

/** What can be done with a stack; undefined stands for no stack. A status that is not known is `stuck`. */
export function conditionOf(stack: Pick<Stack, 'status'> | undefined): Condition {
  if (!stack) return 'absent'
  const known = CONDITIONS[stack.status]
  if (known) return known
  return stack.status.endsWith('_IN_PROGRESS') ? 'busy' : 'stuck'
}

/** What a person can do about a stuck stack. */
export function adviceFor({ name, status }: Pick<Stack, 'name' | 'status'>): string {
  if (status === 'UPDATE_ROLLBACK_FAILED')
    return `Fix what its last event names, then run \`aws cloudformation continue-update-rollback --stack-name ${name}\`, or delete the stack.`
  if (status === 'UPDATE_FAILED')
    return `Run \`aws cloudformation rollback-stack --stack-name ${name}\`, or delete the stack.`
  return 'Bring it into a state that can be updated, or delete it.'
}

/** Whether somebody else's operation has changed a stack, or begun to, between two looks at it. */
export function hasMoved(before: Stack | undefined, after: Stack | undefined): boolean {
  if (conditionOf(before) === 'absent') return conditionOf(after) !== 'absent'
  return (
    before?.id !== after?.id || before?.status !== after?.status || before?.changedAt !== after?.changedAt
  )
}
