import { ACCOUNT_ID, arn, PARTITION } from '../identity.ts'
import { ValidationError } from './errors.ts'
import { evaluate, NO_VALUE, references, type Scope } from './intrinsics.ts'
import { parameterValue } from './parameters.ts'
import type { Created } from './resources/provider.ts'
import { transformServerless } from './sam.ts'
import { type Properties, parseTemplate, type Template } from './template.ts'

type StackIdentity = { stackName: string; stackId: string; region: string }

export type Output = { key: string; value: string; description?: string }

/** A template with its parameters: which resources a stack is to have, in which order, and with which properties. */
export class Blueprint {
  readonly body: string
  readonly parameters: ReadonlyMap<string, string>
  /** Logical ids of the resources whose conditions hold, each after those that it refers to. */
  readonly order: string[]
  readonly #template: Template
  readonly #identity: StackIdentity
  readonly #conditions = new Map<string, boolean>()

  /**
   * @param body the template as it was handed in
   * @param knownTypes resource types that can be made
   * Throws {@link ValidationError} for whatever can be wrong before anything is made.
   */
  constructor(
    body: string,
    parameters: ReadonlyMap<string, string>,
    identity: StackIdentity,
    knownTypes: Iterable<string>,
  ) {
    this.body = body
    this.parameters = parameters
    this.#identity = identity
    this.#template = transformServerless(parseTemplate(body))
    const known = new Set(knownTypes)
    const unknown = Object.values(this.#template.Resources).find(({ Type }) => !known.has(Type))
    if (unknown)
      throw new ValidationError(`Template format error: Unrecognized resource types: [${unknown.Type}]`)
    this.order = this.#sort()
  }

  get description(): string | undefined {
    return this.#template.Description
  }

  get types(): string[] {
    return this.order.map((id) => this.type(id))
  }

  type(id: string): string {
    return this.#template.Resources[id]?.Type ?? ''
  }

  isRetained(id: string): boolean {
    return this.#template.Resources[id]?.DeletionPolicy === 'Retain'
  }

  isSecret(parameter: string): boolean {
    return String(this.#template.Parameters?.[parameter]?.NoEcho) === 'true'
  }

  /** A resource's properties, given the resources that exist. Throws {@link ValidationError} when one is missing. */
  properties(id: string, resources: ReadonlyMap<string, Created>): Properties {
    return evaluate(this.#template.Resources[id]?.Properties ?? {}, this.#scope(resources)) as Properties
  }

  outputs(resources: ReadonlyMap<string, Created>): Output[] {
    const scope = this.#scope(resources)
    return Object.entries(this.#template.Outputs ?? {})
      .filter(([, { Condition }]) => Condition === undefined || scope.condition(Condition))
      .map(([key, { Value, Description }]) => ({
        key,
        value: String(evaluate(Value, scope)),
        ...(Description !== undefined && { description: Description }),
      }))
  }

  #scope(resources: ReadonlyMap<string, Created>): Scope {
    const find = (name: string): Created => {
      const resource = resources.get(name)
      if (!resource)
        throw new ValidationError(
          `Template format error: Unresolved resource dependencies [${name}] in the Resources block of the template`,
        )
      return resource
    }
    return {
      ref: (name) => this.#named(name) ?? find(name).physicalId,
      attribute: (name, attribute) => {
        const value = find(name).attributes[attribute]
        if (value === undefined)
          throw new ValidationError(
            `Template error: resource ${name} does not support attribute type ${attribute}`,
          )
        return value
      },
      condition: (name) => this.#condition(name),
      mappings: this.#template.Mappings ?? {},
    }
  }

  /** The value of a parameter or pseudo parameter. */
  #named(name: string): unknown {
    const { stackName, stackId, region } = this.#identity
    const pseudo: Record<string, unknown> = {
      'AWS::AccountId': ACCOUNT_ID,
      'AWS::NoValue': NO_VALUE,
      'AWS::NotificationARNs': [],
      'AWS::Partition': PARTITION,
      'AWS::Region': region,
      'AWS::StackId': stackId,
      'AWS::StackName': stackName,
      'AWS::URLSuffix': 'amazonaws.com',
    }
    const definition = this.#template.Parameters?.[name]
    const value = this.parameters.get(name)
    return definition && value !== undefined ? parameterValue(value, definition) : pseudo[name]
  }

  #condition(name: string): boolean {
    const known = this.#conditions.get(name)
    if (known !== undefined) return known
    const definition = this.#template.Conditions?.[name]
    if (definition === undefined)
      throw new ValidationError(`Template format error: Unresolved condition dependency ${name}`)
    const value = String(evaluate(definition, this.#scope(new Map()))) === 'true'
    this.#conditions.set(name, value)
    return value
  }

  #sort(): string[] {
    const { Resources } = this.#template
    const exists = (id: string) => {
      const condition = Resources[id]?.Condition
      return id in Resources && (condition === undefined || this.#condition(condition))
    }
    const sorted = new Set<string>()
    const visit = (id: string, path: string[]): void => {
      if (sorted.has(id)) return
      if (path.includes(id))
        throw new ValidationError(`Circular dependency between resources: [${path.join(', ')}]`)
      const { Properties, DependsOn = [] } = Resources[id] ?? {}
      const named = references(Properties, { condition: (name) => this.#condition(name) })
      for (const name of [...named, ...[DependsOn].flat()]) {
        if (exists(name)) visit(name, [...path, id])
        else if (named.has(name) && this.#named(name) === undefined)
          throw new ValidationError(
            `Template format error: Unresolved resource dependencies [${name}] in the Resources block of the template`,
          )
      }
      sorted.add(id)
    }
    for (const id of Object.keys(Resources)) if (exists(id)) visit(id, [])
    return [...sorted]
  }
}

export function stackArn(region: string, stackName: string, uuid: string): string {
  return arn('cloudformation', region, `stack/${stackName}/${uuid}`)
}
