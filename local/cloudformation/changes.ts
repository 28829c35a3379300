import { isDeepStrictEqual } from 'node:util'
import type { Blueprint } from './blueprint.ts'
import { ValidationError } from './errors.ts'
import type { Provider } from './resources/provider.ts'
import type { Resource } from './stack.ts'
import type { Properties } from './template.ts'

export type Change = {
  action: 'Add' | 'Modify' | 'Remove'
  logicalId: string
  type: string
  physicalId?: string
  replaced?: boolean
}

/** What would become of a stack's resources. Throws {@link ValidationError}. */
export function changesTo(
  resources: ReadonlyMap<string, Resource>,
  blueprint: Blueprint,
  providers: ReadonlyMap<string, Provider>,
): Change[] {
  const kept = new Map(resources)
  const changes: Change[] = []
  for (const logicalId of blueprint.order) {
    const type = blueprint.type(logicalId)
    const resource = resources.get(logicalId)
    if (!resource) {
      changes.push({ action: 'Add', logicalId, type })
      continue
    }
    const properties = propertiesIfKnown(blueprint, logicalId, kept)
    if (properties && isSame(resource, type, properties)) continue
    const replaced = properties !== undefined && isReplaced(resource, type, properties, providers)
    // What depends on a resource that will be another one is changed too.
    if (replaced) kept.delete(logicalId)
    changes.push({ action: 'Modify', logicalId, type, physicalId: resource.physicalId, replaced })
  }
  for (const [logicalId, { type, physicalId }] of resources)
    if (!blueprint.order.includes(logicalId)) changes.push({ action: 'Remove', logicalId, type, physicalId })
  return changes
}

export function isSame(resource: Resource, type: string, properties: Properties): boolean {
  return resource.type === type && isDeepStrictEqual(resource.properties, properties)
}

/** Whether these properties need another resource in place of this one. */
export function isReplaced(
  resource: Resource,
  type: string,
  properties: Properties,
  providers: ReadonlyMap<string, Provider>,
): boolean {
  const names = providers.get(type)?.replacedBy ?? []
  return (
    resource.type !== type ||
    names.some((name) => !isDeepStrictEqual(resource.properties[name], properties[name]))
  )
}

/** Properties that depend on a resource which does not exist yet are not known. */
function propertiesIfKnown(
  blueprint: Blueprint,
  logicalId: string,
  resources: ReadonlyMap<string, Resource>,
): Properties | undefined {
  try {
    return blueprint.properties(logicalId, resources)
  } catch (error) {
    if (error instanceof ValidationError) return undefined
    throw error
  }
}
