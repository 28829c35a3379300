import { randomUUID } from 'node:crypto'
import type { Blueprint, Output } from './blueprint.ts'
import type { ChangeSet } from './change-set.ts'
import type { Created } from './resources/provider.ts'
import type { Properties } from './template.ts'

export type Resource = Created & { type: string; properties: Properties; retained: boolean }

type StackEvent = {
  id: string
  logicalId: string
  physicalId: string
  type: string
  status: string
  reason: string | undefined
  time: Date
}

/** What CloudFormation knows of one stack. */
export class Stack {
  readonly id: string
  readonly name: string
  readonly createdAt = new Date()
  readonly resources = new Map<string, Resource>()
  readonly events: StackEvent[] = []
  readonly changeSets = new Map<string, ChangeSet>()
  status = 'REVIEW_IN_PROGRESS'
  statusReason: string | undefined
  updatedAt: Date | undefined
  deletedAt: Date | undefined
  /** What was deployed last; undefined before the first time. */
  blueprint: Blueprint | undefined
  /** As they were when the last deployment ended well. */
  outputs: Output[] = []
  tags: Record<string, string> = {}
  capabilities: string[] = []
  terminationProtected = false
  /** Kept when the operation under way is over. Never broken. */
  operation: Promise<void> = Promise.resolve()

  constructor(id: string, name: string) {
    this.id = id
    this.name = name
  }

  /** Changes the state of the stack and notes an event of it. */
  enter(status: string, reason?: string): void {
    this.status = status
    this.statusReason = reason
    this.note(this.name, { type: 'AWS::CloudFormation::Stack', physicalId: this.id }, status, reason)
  }

  note(
    logicalId: string,
    { type, physicalId = '' }: { type: string; physicalId?: string },
    status: string,
    reason?: string,
  ): void {
    this.events.push({ id: randomUUID(), logicalId, physicalId, type, status, reason, time: new Date() })
  }
}
