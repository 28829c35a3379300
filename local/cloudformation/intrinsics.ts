import { ValidationError } from './errors.ts'
import type { Template } from './template.ts'

/** What names in a template stand for. */
export type Scope = {
  /** Value of a Ref: a parameter, a pseudo parameter or a resource's physical id. Throws when there is none. */
  ref: (name: string) => unknown
  /** Throws when the resource or its attribute does not exist. */
  attribute: (resource: string, name: string) => unknown
  condition: (name: string) => boolean
  mappings: NonNullable<Template['Mappings']>
}

/** What `AWS::NoValue` stands for: the property, or the item of a list, is not there. */
export const NO_VALUE = Symbol('AWS::NoValue')

type Args = unknown[]

const FUNCTIONS: Record<string, (args: Args, scope: Scope) => unknown> = {
  'Fn::And': (args) => args.every(isTrue),
  'Fn::Or': (args) => args.some(isTrue),
  'Fn::Not': ([value]) => !isTrue(value),
  'Fn::Equals': ([a, b]) => String(a) === String(b),
  'Fn::Base64': ([text]) => Buffer.from(String(text)).toString('base64'),
  'Fn::Join': ([separator, items]) => list('Fn::Join', items).join(String(separator)),
  'Fn::Split': ([separator, text]) => String(text).split(String(separator)),
  'Fn::Select': ([index, items]) => {
    const item = list('Fn::Select', items)[Number(index)]
    if (item === undefined) throw new ValidationError(`Fn::Select cannot select item ${index}`)
    return item
  },
  'Fn::FindInMap': ([map, top, second], { mappings }) => {
    const found = mappings[String(map)]?.[String(top)]?.[String(second)]
    if (found === undefined) throw new ValidationError(`Fn::FindInMap finds no ${map}.${top}.${second}`)
    return found
  },
}

/** Works out every intrinsic function in a value. Throws {@link ValidationError}. */
export function evaluate(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value))
    return value.map((item) => evaluate(item, scope)).filter((item) => item !== NO_VALUE)
  if (typeof value !== 'object' || value === null) return value
  const call = asCall(value)
  if (call) return apply(call.name, call.argument, scope)
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, item]) => [name, evaluate(item, scope)] as const)
      .filter(([, item]) => item !== NO_VALUE),
  )
}

/**
 * Names of the resources and parameters that a value refers to, following only the branch of Fn::If that is taken.
 */
export function references(value: unknown, scope: Pick<Scope, 'condition'>): Set<string> {
  const found = new Set<string>()
  const walk = (item: unknown): void => {
    if (typeof item !== 'object' || item === null) return
    const call = asCall(item)
    if (!call) {
      for (const child of Object.values(item)) walk(child)
      return
    }
    const { name, argument } = call
    const args = Array.isArray(argument) ? argument : [argument]
    if (name === 'Ref') found.add(String(argument))
    else if (name === 'Fn::GetAtt') found.add(attributePath(argument)[0])
    else if (name === 'Fn::If') walk(args[scope.condition(String(args[0])) ? 1 : 2])
    else if (name === 'Fn::Sub') {
      const [text, variables = {}] = args as [string, Record<string, unknown>?]
      for (const variable of subVariables(text))
        if (!Object.hasOwn(variables, variable)) found.add(variable.split('.')[0] ?? '')
      walk(variables)
    } else walk(args)
  }
  walk(value)
  return found
}

function apply(name: string, argument: unknown, scope: Scope): unknown {
  if (name === 'Ref') return scope.ref(String(argument))
  if (name === 'Condition') return scope.condition(String(argument))
  if (name === 'Fn::GetAtt') return scope.attribute(...attributePath(argument))
  if (name === 'Fn::If') {
    const [condition, yes, no] = argument as Args
    return evaluate(scope.condition(String(condition)) ? yes : no, scope)
  }
  if (name === 'Fn::Sub') return substitute(argument, scope)
  const work = FUNCTIONS[name]
  if (!work) throw new ValidationError(`The embedded CloudFormation does not know ${name}`)
  const evaluated = evaluate(argument, scope)
  return work(Array.isArray(evaluated) ? evaluated : [evaluated], scope)
}

function substitute(argument: unknown, scope: Scope): string {
  const [text, variables = {}] = (Array.isArray(argument) ? argument : [argument]) as [
    string,
    Record<string, unknown>?,
  ]
  return text
    .replace(/\$\{([^!}][^}]*)\}/g, (_, name: string) => {
      if (Object.hasOwn(variables, name)) return String(evaluate(variables[name], scope))
      const [resource = '', ...attribute] = name.split('.')
      return String(
        attribute.length > 0 ? scope.attribute(resource, attribute.join('.')) : scope.ref(resource),
      )
    })
    .replace(/\$\{!/g, '${')
}

function subVariables(text: string): string[] {
  return [...text.matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name = '']) => name)
}

function asCall(value: object): { name: string; argument: unknown } | undefined {
  const entries = Object.entries(value)
  const [name, argument] = entries[0] ?? ['', undefined]
  const isCall =
    entries.length === 1 &&
    (name === 'Ref' || name.startsWith('Fn::') || (name === 'Condition' && typeof argument === 'string'))
  return isCall ? { name, argument } : undefined
}

function attributePath(argument: unknown): [string, string] {
  const [resource, ...attribute] = Array.isArray(argument) ? argument : String(argument).split('.')
  return [String(resource), attribute.join('.')]
}

function list(name: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  throw new ValidationError(`${name} needs a list`)
}

function isTrue(value: unknown): boolean {
  return String(value) === 'true'
}
