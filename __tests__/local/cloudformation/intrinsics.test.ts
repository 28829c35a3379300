import { describe, expect, test } from '@jest/globals'
import { evaluate, NO_VALUE, references, type Scope } from '../../../local/cloudformation/intrinsics.ts'
import { parseTemplate } from '../../../local/cloudformation/template.ts'

const SCOPE: Scope = {
  ref: (name) => {
    const values: Record<string, unknown> = { Name: 'photos', List: ['a', 'b'], 'AWS::NoValue': NO_VALUE }
    if (!(name in values)) throw new Error(`no ${name}`)
    return values[name]
  },
  attribute: (resource, name) => `${resource}/${name}`,
  condition: (name) => name === 'Yes',
  mappings: { Regions: { north: { Ami: 'ami-1' } } },
}

/** The value of a piece of YAML as a template would have it. */
function resolve(yaml: string): unknown {
  const { Resources } = parseTemplate(`Resources:
  A:
    Properties:
      Value:
    ${yaml}`)
  return evaluate(Resources.A?.Properties?.Value, SCOPE)
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is how Fn::Sub is written
describe('an intrinsic function in YAML', () => {
  test.each<[string, unknown]>([
    ['    !Ref Name', 'photos'],
    ['    Ref: Name', 'photos'],
    ['    !GetAtt Queue.Arn', 'Queue/Arn'],
    ['    !GetAtt Nested.Outputs.Url', 'Nested/Outputs.Url'],
    ['    Fn::GetAtt: [Queue, Arn]', 'Queue/Arn'],
    ['    !Sub ${Name}-${Queue.Arn}-${!Literal}-$x', 'photos-Queue/Arn-${Literal}-$x'],
    ['    !Sub ["${Name}/${Extra}", { Extra: !Join ["+", !Ref List] }]', 'photos/a+b'],
    ['    !Join ["/*,", !Ref List]', 'a/*,b'],
    ['    !Split [",", "x,y,z"]', ['x', 'y', 'z']],
    ['    !Select [1, !Split [":", "a:b:c"]]', 'b'],
    ['    !If [Yes, 1, 2]', 1],
    ['    !If [No, 1, 2]', 2],
    ['    !FindInMap [Regions, north, Ami]', 'ami-1'],
    ['    !Base64 text', 'dGV4dA=='],
    ['    !And [!Condition Yes, !Not [!Condition No]]', true],
    ['    !Or [!Condition No, !Equals [!Ref Name, photos]]', true],
    ['    !Equals [1, "1"]', true],
    ['    { keep: 1, drop: !Ref AWS::NoValue }', { keep: 1 }],
    ['    [1, !If [No, 2, !Ref AWS::NoValue], 3]', [1, 3]],
    ['    { Bool: { "aws:SecureTransport": "false" } }', { Bool: { 'aws:SecureTransport': 'false' } }],
    ['    { Condition: { StringLike: { a: b } } }', { Condition: { StringLike: { a: 'b' } } }],
    ['    2012-10-17', '2012-10-17'],
  ])('%s', (yaml, value) => {
    expect(resolve(yaml)).toEqual(value)
  })

  test.each([
    ['    !ImportValue other', /ImportValue/],
    ['    !Select [3, [a, b]]', /select item 3/],
    ['    !FindInMap [Regions, south, Ami]', /Regions.south.Ami/],
    ['    !Join [",", text]', /needs a list/],
  ])('%s cannot be worked out', (yaml, message) => {
    expect(() => resolve(yaml)).toThrow(message)
  })
})

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: this is how Fn::Sub is written

test('only the branch of Fn::If that is taken counts as a reference', () => {
  const { Resources } = parseTemplate(`
Resources:
  A:
    Properties:
      One: !If [Yes, !Ref Taken, !Ref Left]
      Two: !Sub ["\${Own} \${Pool.Id} \${!None}", { Own: !GetAtt Deep.Arn }]
`)
  expect(references(Resources.A?.Properties, SCOPE)).toEqual(new Set(['Taken', 'Pool', 'Deep']))
})
