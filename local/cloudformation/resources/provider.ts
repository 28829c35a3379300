import { randomBytes } from 'node:crypto'
import type { Properties } from '../template.ts'

/** What a resource is known by once it exists: the value of a Ref to it, and those of GetAtt. */
export type Created = { physicalId: string; attributes: Record<string, string> }

/** Where a resource belongs; names are made from it. */
export type Place = { stackName: string; logicalId: string }

/** Makes, changes and removes the resources of one type. What it throws is the reason that the stack's events show. */
export type Provider = {
  create: (properties: Properties, place: Place) => Promise<Created>
  /** Changes the resource in place. */
  update: (resource: Created, properties: Properties, before: Properties) => Promise<Created>
  delete: (resource: Created) => Promise<void>
  /** Properties whose change means another resource, as a rule its name. */
  replacedBy: string[]
}

/** A name as CloudFormation generates them, of at most `length` characters. */
export function generatedName({ stackName, logicalId }: Place, length: number): string {
  const suffix = randomBytes(6).toString('hex').toUpperCase()
  return `${`${stackName}-${logicalId}`.slice(0, length - suffix.length - 1)}-${suffix}`
}
