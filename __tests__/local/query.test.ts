import { expect, test } from '@jest/globals'
import { unfold } from '../../local/query.ts'

test('the dotted names of the Query protocol become objects and lists', () => {
  const form = new URLSearchParams([
    ['Action', 'CreateStack'],
    ['Capabilities.member.1', 'CAPABILITY_IAM'],
    ['Parameters.member.2.ParameterKey', 'B'],
    ['Parameters.member.1.ParameterKey', 'A'],
    ['Parameters.member.1.ParameterValue', '1'],
    ['Tags', ''],
  ])
  expect(unfold(form)).toEqual({
    Action: 'CreateStack',
    Capabilities: ['CAPABILITY_IAM'],
    Parameters: [{ ParameterKey: 'A', ParameterValue: '1' }, { ParameterKey: 'B' }],
    Tags: '',
  })
})

test('more than nine items keep their order', () => {
  const form = new URLSearchParams()
  for (let i = 0; i < 12; i++) form.append(`L.member.${i + 1}`, String(i))
  expect(unfold(form)).toEqual({ L: Array.from({ length: 12 }, (_, i) => String(i)) })
})
