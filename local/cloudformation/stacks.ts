import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { arn } from '../identity.ts'
import { QueryError } from '../query.ts'
import { Blueprint, stackArn } from './blueprint.ts'
import { type ChangeSet, prepare } from './change-set.ts'
import { ValidationError } from './errors.ts'
import { deploy, type OnFailure, type Providers, remove } from './operations.ts'
import { type GivenParameter, resolveParameters } from './parameters.ts'
import { Stack } from './stack.ts'
import { parseTemplate } from './template.ts'

/** What a stack or a change set is asked for with. */
export type StackInput = {
  stackName: string
  /** The template; undefined keeps the one of the stack. */
  template?: string | undefined
  parameters?: GivenParameter[]
  tags?: Record<string, string>
  capabilities?: string[]
  onFailure?: OnFailure
  terminationProtected?: boolean
}

type ChangeSetInput = StackInput & {
  changeSetName: string
  kind: 'CREATE' | 'UPDATE'
  description?: string | undefined
}

const UPDATABLE = ['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE']
/** Time for which a change set is seen being made. */
const PREPARE_MS = 20

/** The stacks of the account. Operations go on in the background; {@link Stack.operation} tells when one is over. */
export class Stacks {
  readonly #all: Stack[] = []
  readonly #providers: Providers
  readonly #region: string

  constructor(region: string, providers: Providers) {
    this.#region = region
    this.#providers = providers
  }

  /** Stacks that exist, the newest first. */
  list(): Stack[] {
    return this.#all.filter(({ deletedAt }) => !deletedAt).reverse()
  }

  /** The stack of a name, or of an id even if it was deleted. Throws {@link ValidationError}. */
  get(nameOrId: string): Stack {
    const stack = this.#find(nameOrId)
    if (!stack) throw new ValidationError(`Stack with id ${nameOrId} does not exist`)
    return stack
  }

  /** Begins to create a stack. Throws {@link QueryError}. */
  create(input: StackInput): Stack {
    if (this.#find(input.stackName))
      throw new QueryError('AlreadyExistsException', `Stack [${input.stackName}] already exists`)
    const stack = this.#newStack(input.stackName)
    const blueprint = this.#blueprint(stack, input)
    checkCapabilities(blueprint, input.capabilities ?? [], true)
    this.#all.push(stack)
    stack.terminationProtected = input.terminationProtected ?? false
    this.#start(stack, blueprint, { ...input, kind: 'CREATE' })
    return stack
  }

  /** Begins to delete a stack; nothing happens when there is none. Throws {@link QueryError}. */
  delete(nameOrId: string): void {
    const stack = this.#find(nameOrId)
    if (!stack || stack.status === 'DELETE_IN_PROGRESS' || stack.deletedAt) return
    if (stack.terminationProtected)
      throw new ValidationError(
        `Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`,
      )
    if (stack.status.endsWith('_IN_PROGRESS') && stack.status !== 'REVIEW_IN_PROGRESS')
      throw new ValidationError(`Stack [${stack.id}] cannot be deleted while in status ${stack.status}`)
    stack.operation = remove(stack, this.#providers)
  }

  /** Begins to make a change set, and with kind CREATE its stack. Throws {@link QueryError}. */
  createChangeSet(input: ChangeSetInput): { stack: Stack; changeSet: ChangeSet } {
    const { stackName, changeSetName, kind, tags, capabilities = [], onFailure = 'ROLLBACK' } = input
    const existing = this.#find(stackName)
    const stack = existing ?? this.#newStack(stackName)
    if (kind === 'UPDATE') this.#checkUpdatable(existing, stackName)
    else if (stack.status !== 'REVIEW_IN_PROGRESS')
      throw new ValidationError(
        `Stack [${stackName}] already exists and cannot be created again with the changeSet [${changeSetName}].`,
      )
    if (stack.changeSets.has(changeSetName))
      throw new QueryError('AlreadyExistsException', `ChangeSet ${changeSetName} already exists`)
    const blueprint = this.#blueprint(stack, input)
    checkCapabilities(blueprint, capabilities, false)
    if (!existing) {
      this.#all.push(stack)
      stack.enter('REVIEW_IN_PROGRESS', 'User Initiated')
    }
    const changeSet: ChangeSet = {
      id: arn('cloudformation', this.#region, `changeSet/${changeSetName}/${randomUUID()}`),
      name: changeSetName,
      kind,
      description: input.description,
      blueprint,
      tags: tags ?? stack.tags,
      capabilities,
      onFailure,
      createdAt: new Date(),
      status: 'CREATE_IN_PROGRESS',
      executionStatus: 'UNAVAILABLE',
      changes: [],
    }
    stack.changeSets.set(changeSetName, changeSet)
    void delay(PREPARE_MS).then(() => prepare(changeSet, stack, this.#providers))
    return { stack, changeSet }
  }

  /** A change set by name and stack, or by id. Throws {@link QueryError}. */
  changeSet(nameOrId: string, stackName?: string): { stack: Stack; changeSet: ChangeSet } {
    const stacks = stackName === undefined ? this.#all : [this.get(stackName)]
    for (const stack of stacks)
      for (const changeSet of stack.changeSets.values())
        if (changeSet.id === nameOrId || (stackName !== undefined && changeSet.name === nameOrId))
          return { stack, changeSet }
    throw new QueryError('ChangeSetNotFound', `ChangeSet [${nameOrId}] does not exist`)
  }

  /** Begins to do what a change set says; the stack's other change sets are gone. Throws {@link QueryError}. */
  executeChangeSet(nameOrId: string, stackName?: string): void {
    const { stack, changeSet } = this.changeSet(nameOrId, stackName)
    if (changeSet.executionStatus !== 'AVAILABLE')
      throw new QueryError(
        'InvalidChangeSetStatus',
        `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`,
      )
    if (changeSet.kind === 'UPDATE') this.#checkUpdatable(stack, stack.name)
    for (const name of stack.changeSets.keys()) if (name !== changeSet.name) stack.changeSets.delete(name)
    changeSet.executionStatus = 'EXECUTE_COMPLETE'
    this.#start(stack, changeSet.blueprint, changeSet)
  }

  deleteChangeSet(nameOrId: string, stackName?: string): void {
    const { stack, changeSet } = this.changeSet(nameOrId, stackName)
    stack.changeSets.delete(changeSet.name)
  }

  #find(nameOrId: string): Stack | undefined {
    return this.#all.findLast(
      ({ id, name, deletedAt }) => id === nameOrId || (name === nameOrId && !deletedAt),
    )
  }

  #newStack(name: string): Stack {
    if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name))
      throw new ValidationError(
        `The stack name ${name} must be 1 to 128 letters, digits and hyphens, a letter first`,
      )
    return new Stack(stackArn(this.#region, name, randomUUID()), name)
  }

  #checkUpdatable(stack: Stack | undefined, name: string): void {
    if (!stack) throw new ValidationError(`Stack [${name}] does not exist`)
    if (!UPDATABLE.includes(stack.status))
      throw new ValidationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`)
  }

  #blueprint(stack: Stack, { template, parameters = [] }: StackInput): Blueprint {
    const body = template ?? stack.blueprint?.body ?? ''
    return new Blueprint(
      body,
      resolveParameters(parseTemplate(body), parameters, stack.blueprint?.parameters),
      { stackName: stack.name, stackId: stack.id, region: this.#region },
      this.#providers.keys(),
    )
  }

  #start(
    stack: Stack,
    blueprint: Blueprint,
    {
      kind,
      tags,
      capabilities,
      onFailure = 'ROLLBACK',
    }: Pick<ChangeSetInput, 'kind' | 'tags' | 'capabilities' | 'onFailure'>,
  ): void {
    stack.tags = tags ?? {}
    stack.capabilities = capabilities ?? []
    stack.enter(`${kind}_IN_PROGRESS`, 'User Initiated')
    stack.operation = deploy(stack, blueprint, this.#providers, { kind, onFailure })
  }
}

/** A caller has to acknowledge roles, and transforms where no change set shows what they do. */
function checkCapabilities(blueprint: Blueprint, given: string[], direct: boolean): void {
  const needed: string[] = []
  const roles = blueprint.types.filter((type) => type.startsWith('AWS::IAM::'))
  if (roles.length > 0 && !given.some((name) => name === 'CAPABILITY_IAM' || name === 'CAPABILITY_NAMED_IAM'))
    needed.push('CAPABILITY_IAM')
  const hasTransform = parseTemplate(blueprint.body).Transform !== undefined
  if (direct && hasTransform && !given.includes('CAPABILITY_AUTO_EXPAND'))
    needed.push('CAPABILITY_AUTO_EXPAND')
  if (needed.length > 0)
    throw new QueryError(
      'InsufficientCapabilitiesException',
      `Requires capabilities : [${needed.join(', ')}]`,
    )
}
