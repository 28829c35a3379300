import { ValidationError } from './errors.ts'
import type { ParameterDefinition, Template } from './template.ts'

/** A parameter as a request gives it. */
export type GivenParameter = {
  ParameterKey: string
  ParameterValue?: string | undefined
  /** `true`: the value that the stack has. */
  UsePreviousValue?: string | boolean | undefined
}

/**
 * The value of every parameter of a template: given, kept from before, or the default.
 * Throws {@link ValidationError} for unknown, missing and unfit ones.
 */
export function resolveParameters(
  { Parameters: definitions = {} }: Template,
  given: GivenParameter[],
  previous: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const unknown = given.map(({ ParameterKey }) => ParameterKey).filter((name) => !(name in definitions))
  if (unknown.length > 0)
    throw new ValidationError(`Parameters: [${unknown.join(', ')}] do not exist in the template`)
  const values = new Map<string, string>()
  const missing: string[] = []
  for (const [name, definition] of Object.entries(definitions)) {
    const entry = given.find(({ ParameterKey }) => ParameterKey === name)
    const keep = String(entry?.UsePreviousValue) === 'true'
    const value = keep ? previous.get(name) : (entry?.ParameterValue ?? definition.Default)
    if (value === undefined) missing.push(name)
    else values.set(name, check(name, String(value), definition))
  }
  if (missing.length > 0) throw new ValidationError(`Parameters: [${missing.join(', ')}] must have values`)
  return values
}

/** What a Ref to a parameter gives: text, or a list of texts for the list types. */
export function parameterValue(value: string, { Type }: ParameterDefinition): string | string[] {
  const isList = Type === 'CommaDelimitedList' || Type.startsWith('List<')
  return isList ? value.split(',').map((item) => item.trim()) : value
}

function check(name: string, value: string, definition: ParameterDefinition): string {
  const { AllowedValues, AllowedPattern, MinLength, MaxLength, MinValue, MaxValue, Type } = definition
  const items = Type === 'CommaDelimitedList' ? value.split(',').map((item) => item.trim()) : [value]
  const number = Number(value)
  const outside = (size: number, min = -Infinity, max = Infinity) => size < min || size > max
  const wrong =
    (AllowedValues && !items.every((item) => AllowedValues.map(String).includes(item))) ||
    (AllowedPattern !== undefined &&
      !items.every((item) => new RegExp(`^(?:${AllowedPattern})$`).test(item))) ||
    (Type === 'Number' &&
      (value.trim() === '' || Number.isNaN(number) || outside(number, MinValue, MaxValue))) ||
    outside(value.length, MinLength, MaxLength)
  if (!wrong) return value
  const why = definition.ConstraintDescription ?? 'its value does not meet its constraints'
  throw new ValidationError(`Parameter '${name}' failed to satisfy constraint: ${why}`)
}
