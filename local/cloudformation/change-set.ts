import { isDeepStrictEqual } from 'node:util'
import type { Blueprint } from './blueprint.ts'
import { type Change, changesTo } from './changes.ts'
import type { OnFailure, Providers } from './operations.ts'
import type { Stack } from './stack.ts'

/** A planned deployment of a stack, which is executed or thrown away. */
export type ChangeSet = {
  id: string
  name: string
  kind: 'CREATE' | 'UPDATE'
  description: string | undefined
  blueprint: Blueprint
  tags: Record<string, string>
  capabilities: string[]
  onFailure: OnFailure
  createdAt: Date
  status: 'CREATE_IN_PROGRESS' | 'CREATE_COMPLETE' | 'FAILED'
  statusReason?: string
  executionStatus: 'UNAVAILABLE' | 'AVAILABLE' | 'EXECUTE_COMPLETE'
  changes: Change[]
}

const NO_CHANGES =
  "The submitted information didn't contain changes. Submit different information to create a change set."
const NO_UPDATES = 'No updates are to be performed.'

/** Works out what a change set would do. One that would do nothing fails, in either of CloudFormation's wordings. */
export function prepare(changeSet: ChangeSet, stack: Stack, providers: Providers): void {
  const { blueprint, tags } = changeSet
  changeSet.changes = changesTo(stack.resources, blueprint, providers)
  const sameTags = isDeepStrictEqual(tags, stack.tags)
  if (changeSet.kind === 'UPDATE' && changeSet.changes.length === 0 && sameTags) {
    changeSet.status = 'FAILED'
    changeSet.statusReason = blueprint.body === stack.blueprint?.body ? NO_CHANGES : NO_UPDATES
    return
  }
  changeSet.status = 'CREATE_COMPLETE'
  changeSet.executionStatus = 'AVAILABLE'
}
