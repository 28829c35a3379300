import { expect, test } from '@jest/globals'
import { extend, hopsOf } from '../../../local/lambda/lineage.ts'

test('a chain counts each of its functions', () => {
  const trace = ['list', 'list', 'copy', 'list'].reduce<string | undefined>(extend, undefined)
  expect(hopsOf(trace, 'list')).toBe(3)
  expect(hopsOf(trace, 'copy')).toBe(1)
  expect(hopsOf(trace, 'other')).toBe(0)
})

test('a message that no function sent begins a chain', () => {
  expect(hopsOf(undefined, 'list')).toBe(0)
  expect(hopsOf('Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1', 'list')).toBe(0)
})

test('what else is in a trace header is kept', () => {
  expect(extend('Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1', 'list')).toMatch(
    /^Root=1-5759e988-.*;Sampled=1;/,
  )
})
