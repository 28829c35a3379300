import { setTimeout as delay } from 'node:timers/promises'
import type { Blueprint } from './blueprint.ts'
import { isReplaced, isSame } from './changes.ts'
import type { Provider } from './resources/provider.ts'
import type { Resource, Stack } from './stack.ts'

export type Providers = ReadonlyMap<string, Provider>
export type OnFailure = 'ROLLBACK' | 'DELETE' | 'DO_NOTHING'

/** Time that a resource takes at least, so that whoever looks sees a stack at work. */
const RESOURCE_MS = 20

type Kind = 'CREATE' | 'UPDATE'
/** What undoes or finishes a step, under the status words that it shows in the events. */
type Step = () => Promise<void>

/** Brings a stack to what a blueprint says; when that fails, back to what it was. Never throws. */
export async function deploy(
  stack: Stack,
  blueprint: Blueprint,
  providers: Providers,
  { kind, onFailure = 'ROLLBACK' }: { kind: Kind; onFailure?: OnFailure },
): Promise<void> {
  const undo: Step[] = []
  const cleanup: Step[] = []
  try {
    for (const id of blueprint.order) await deployResource(stack, id, blueprint, providers, { undo, cleanup })
    stack.outputs = blueprint.outputs(stack.resources)
  } catch (error) {
    const reason = (error as Error).message
    if (onFailure === 'DO_NOTHING') return stack.enter(`${kind}_FAILED`, reason)
    if (onFailure === 'DELETE') return await remove(stack, providers)
    return await rollBack(stack, kind, undo, reason)
  }
  stack.blueprint = blueprint
  if (kind === 'UPDATE') {
    stack.updatedAt = new Date()
    stack.enter('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')
    for (const [id, resource] of [...stack.resources].reverse())
      if (!blueprint.order.includes(id)) cleanup.push(() => removeResource(stack, id, resource, providers))
    for (const step of cleanup) await step().catch(() => {})
  }
  stack.enter(`${kind}_COMPLETE`)
}

/** Deletes a stack's resources, the last one first, then the stack. Never throws. */
export async function remove(stack: Stack, providers: Providers): Promise<void> {
  stack.enter('DELETE_IN_PROGRESS')
  const failed: string[] = []
  for (const [id, resource] of [...stack.resources].reverse())
    await removeResource(stack, id, resource, providers).catch(() => failed.push(id))
  if (failed.length > 0)
    return stack.enter('DELETE_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}].`)
  stack.deletedAt = new Date()
  stack.enter('DELETE_COMPLETE')
}

async function deployResource(
  stack: Stack,
  id: string,
  blueprint: Blueprint,
  providers: Providers,
  { undo, cleanup }: { undo: Step[]; cleanup: Step[] },
): Promise<void> {
  const type = blueprint.type(id)
  const provider = providerOf(type, providers)
  const before = stack.resources.get(id)
  const kind = before ? 'UPDATE' : 'CREATE'
  let physicalId = before?.physicalId
  try {
    const properties = blueprint.properties(id, stack.resources)
    if (before && isSame(before, type, properties)) return
    stack.note(id, { type, ...(physicalId && { physicalId }) }, `${kind}_IN_PROGRESS`)
    await delay(RESOURCE_MS)
    const keep = (created: { physicalId: string; attributes: Record<string, string> }) =>
      stack.resources.set(id, { ...created, type, properties, retained: blueprint.isRetained(id) })
    if (before && !isReplaced(before, type, properties, providers)) {
      undo.push(async () => {
        await provider.update(before, before.properties, properties)
        stack.resources.set(id, before)
      })
      keep(await provider.update(before, properties, before.properties))
    } else {
      const created = await provider.create(properties, { stackName: stack.name, logicalId: id })
      keep(created)
      undo.push(async () => {
        await provider.delete(created)
        if (before) stack.resources.set(id, before)
        else stack.resources.delete(id)
        stack.note(id, { type, physicalId: created.physicalId }, 'DELETE_COMPLETE')
      })
      if (before)
        cleanup.push(async () => {
          await providerOf(before.type, providers).delete(before)
          stack.note(id, before, 'DELETE_COMPLETE')
        })
      physicalId = created.physicalId
    }
    stack.note(id, { type, ...(physicalId && { physicalId }) }, `${kind}_COMPLETE`)
  } catch (error) {
    const reason = (error as Error).message
    stack.note(id, { type, ...(physicalId && { physicalId }) }, `${kind}_FAILED`, reason)
    throw new Error(`The following resource(s) failed to ${kind.toLowerCase()}: [${id}].`, { cause: error })
  }
}

async function rollBack(stack: Stack, kind: Kind, undo: Step[], reason: string): Promise<void> {
  const word = kind === 'CREATE' ? 'ROLLBACK' : 'UPDATE_ROLLBACK'
  stack.enter(`${word}_IN_PROGRESS`, `${reason} Rollback requested by user.`)
  for (const step of undo.reverse()) {
    await delay(RESOURCE_MS)
    try {
      await step()
    } catch (error) {
      return stack.enter(`${word}_FAILED`, (error as Error).message)
    }
  }
  stack.enter(`${word}_COMPLETE`)
}

async function removeResource(
  stack: Stack,
  id: string,
  resource: Resource,
  providers: Providers,
): Promise<void> {
  if (resource.retained) {
    stack.note(id, resource, 'DELETE_SKIPPED')
    stack.resources.delete(id)
    return
  }
  stack.note(id, resource, 'DELETE_IN_PROGRESS')
  await delay(RESOURCE_MS)
  try {
    await providerOf(resource.type, providers).delete(resource)
  } catch (error) {
    stack.note(id, resource, 'DELETE_FAILED', (error as Error).message)
    throw error
  }
  stack.resources.delete(id)
  stack.note(id, resource, 'DELETE_COMPLETE')
}

function providerOf(type: string, providers: Providers): Provider {
  const provider = providers.get(type)
  if (!provider) throw new Error(`Unrecognized resource type: ${type}`)
  return provider
}
