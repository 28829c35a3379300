import { type CollectionTag, isMap, parse, type ScalarTag } from 'yaml'
import { ValidationError } from './errors.ts'

export type ParameterDefinition = {
  Type: string
  Default?: string | number
  AllowedValues?: Array<string | number>
  AllowedPattern?: string
  MinLength?: number
  MaxLength?: number
  MinValue?: number
  MaxValue?: number
  ConstraintDescription?: string
  NoEcho?: boolean
}

export type Properties = Record<string, unknown>

export type ResourceDefinition = {
  Type: string
  Properties?: Properties
  Condition?: string
  DependsOn?: string | string[]
  DeletionPolicy?: string
  Metadata?: unknown
  UpdateReplacePolicy?: string
}

type OutputDefinition = { Value: unknown; Description?: string; Condition?: string; Export?: unknown }

/** A template as it is written, intrinsic functions in their long form. */
export type Template = {
  Transform?: string | string[]
  Description?: string
  Metadata?: unknown
  Globals?: { Function?: Properties }
  Parameters?: Record<string, ParameterDefinition>
  Mappings?: Record<string, Record<string, Record<string, unknown>>>
  Conditions?: Record<string, unknown>
  Resources: Record<string, ResourceDefinition>
  Outputs?: Record<string, OutputDefinition>
}

/** Functions that have a short form as a YAML tag; `Ref` and `Condition` have no `Fn::` in their long form. */
const FUNCTIONS = [
  ...['And', 'Base64', 'Equals', 'FindInMap', 'GetAtt', 'GetAZs', 'If', 'ImportValue', 'Join', 'Not', 'Or'],
  ...['Select', 'Split', 'Sub', 'Transform'],
]

/**
 * Reads a template in YAML, of which JSON is a part.
 * Throws {@link ValidationError} when it is no template.
 */
export function parseTemplate(text: string): Template {
  let template: unknown
  try {
    template = parse(text, { customTags: tags(), merge: true })
  } catch (error) {
    throw new ValidationError(`Template format error: ${(error as Error).message}`)
  }
  const resources = (template as Partial<Template> | null)?.Resources
  if (typeof resources !== 'object' || resources === null || Object.keys(resources).length === 0)
    throw new ValidationError('Template format error: At least one Resources member must be defined.')
  return template as Template
}

function tags(): Array<ScalarTag | CollectionTag> {
  const names = [
    ...FUNCTIONS.map((name) => [name, `Fn::${name}`]),
    ['Ref', 'Ref'],
    ['Condition', 'Condition'],
  ]
  return names.flatMap(([short = '', long = '']): Array<ScalarTag | CollectionTag> => {
    const tag = `!${short}`
    return [
      { tag, resolve: (value) => ({ [long]: short === 'GetAtt' ? splitAttribute(value) : value }) },
      { tag, collection: 'seq', resolve: (node) => ({ [long]: node.toJSON() }) as never },
      {
        tag,
        collection: 'map',
        resolve: (node) => ({ [long]: isMap(node) ? node.toJSON() : node }) as never,
      },
    ]
  })
}

/** The short form of GetAtt is `Resource.Attribute`, where the attribute may hold further dots. */
function splitAttribute(text: string): [string, string] {
  const dot = text.indexOf('.')
  return [text.slice(0, dot), text.slice(dot + 1)]
}
