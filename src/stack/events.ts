import {
  type CloudFormationClient,
  DescribeStackEventsCommand,
  type StackEvent,
} from '@aws-sdk/client-cloudformation'
import { UserError } from '../errors.ts'
import { logLine } from '../text.ts'
import { describeStack, type Stack } from './outputs.ts'
import { conditionOf, hasMoved } from './states.ts'
import type { Tools } from './tools.ts'

const POLL_MS = 3_000
/** CloudFormation gives up on the slowest of our resources long before. */
const LONGEST_MS = 30 * 60_000
/** What CloudFormation says of resources that it gave up on because another one failed. */
const CONSEQUENCE = /^Resource (creation|update|deletion) cancelled/i

/** The events of one operation on a stack: shows them in the log as they come, and remembers what failed first. */
export class StackEvents {
  readonly #cfn: CloudFormationClient
  readonly #stackId: string
  readonly #tools: Tools
  readonly #seen = new Set<string>()
  #firstFailure: string | undefined
  #ended = false

  constructor(cfn: CloudFormationClient, stackId: string, tools: Tools) {
    this.#cfn = cfn
    this.#stackId = stackId
    this.#tools = tools
  }

  /** The resource that failed first and CloudFormation's reason, or undefined. */
  get firstFailure(): string | undefined {
    return this.#firstFailure
  }

  /** Takes what has happened so far for known, so that only later events are shown. */
  async skip(): Promise<void> {
    for (const event of await this.#fetch()) this.#seen.add(event.EventId ?? '')
  }

  /** Shows the events since the last look, oldest first. */
  async #show(): Promise<void> {
    for (const event of (await this.#fetch()).reverse()) {
      this.#seen.add(event.EventId ?? '')
      this.#tools.log.info(lineOf(event))
      if (isFailure(event)) this.#firstFailure ??= describeFailure(event)
      if (event.PhysicalResourceId === this.#stackId && !event.ResourceStatus?.endsWith('_IN_PROGRESS'))
        this.#ended = true
    }
  }

  /**
   * Shows events until the operation is over, and returns the stack as it is then. Throws a UserError after half an hour.
   *
   * @param before the stack as it was before: for a moment after a call CloudFormation may still describe it like that
   */
  async follow(before: Stack | undefined): Promise<Stack | undefined> {
    const { now, sleep } = this.#tools.timing
    const startedAt = now()
    for (;;) {
      const stack = await describeStack(this.#cfn, this.#stackId)
      await this.#show()
      if (conditionOf(stack) !== 'busy' && (this.#ended || hasMoved(before, stack))) return stack
      if (now() - startedAt > LONGEST_MS)
        throw new UserError(
          `The stack ${stack?.name} is still ${stack?.status} after ${LONGEST_MS / 60_000} minutes. Look at its events in the CloudFormation console.`,
        )
      await sleep(POLL_MS)
    }
  }

  /** Events that were not seen yet, newest first, as CloudFormation gives them. */
  async #fetch(): Promise<StackEvent[]> {
    const found: StackEvent[] = []
    let token: string | undefined
    do {
      const { StackEvents: page = [], NextToken } = await this.#cfn.send(
        new DescribeStackEventsCommand({
          StackName: this.#stackId,
          ...(token !== undefined && { NextToken: token }),
        }),
      )
      const unseen = page.filter(({ EventId }) => !this.#seen.has(EventId ?? ''))
      found.push(...unseen)
      token = unseen.length === page.length ? NextToken : undefined
    } while (token !== undefined)
    return found
  }
}

/** Waits for the end of the operation that is under way on a stack, and returns it as it is then. Throws a UserError after half an hour. */
export async function untilAtRest(
  cfn: CloudFormationClient,
  stack: Stack,
  tools: Tools,
): Promise<Stack | undefined> {
  const events = new StackEvents(cfn, stack.id, tools)
  await events.skip()
  return await events.follow(stack)
}

function isFailure({ ResourceStatus, ResourceStatusReason = '' }: StackEvent): boolean {
  return ResourceStatus?.endsWith('_FAILED') === true && !CONSEQUENCE.test(ResourceStatusReason)
}

function describeFailure({ LogicalResourceId, ResourceType, ResourceStatusReason }: StackEvent): string {
  return logLine(
    `${LogicalResourceId} (${ResourceType}): ${ResourceStatusReason ?? 'CloudFormation gives no reason'}`,
  )
}

function lineOf({
  ResourceStatus,
  ResourceType,
  LogicalResourceId,
  ResourceStatusReason,
}: StackEvent): string {
  const reason = ResourceStatusReason ? ` (${ResourceStatusReason})` : ''
  return logLine(`${ResourceStatus} ${ResourceType} ${LogicalResourceId}${reason}`)
}
