import { expect, test } from '@jest/globals'
import { toListed } from '../../../lambda/list/to-listed.ts'

const object = { key: 'k', size: 1, etag: '"0123456789abcdef0123456789abcdef"' }
const etag = '0123456789abcdef0123456789abcdef'

test('a task says what the listing tells, in as few words as it can', () => {
  expect(toListed({ ...object, storageClass: 'STANDARD' })).toEqual({ key: 'k', size: 1, etag })
  expect(toListed({ ...object, storageClass: 'STANDARD_IA' })).toEqual({
    key: 'k',
    size: 1,
    etag,
    storageClass: 'STANDARD_IA',
  })
})

test.each([
  ['GLACIER', undefined, true],
  ['DEEP_ARCHIVE', undefined, true],
  ['DEEP_ARCHIVE', { inProgress: true }, true],
  ['DEEP_ARCHIVE', { inProgress: false }, false],
  ['GLACIER_IR', undefined, false],
  ['INTELLIGENT_TIERING', undefined, false],
])('an object in %s with restore status %j: archived %s', (storageClass, restoreStatus, archived) => {
  const listed = toListed({ ...object, storageClass, ...(restoreStatus && { restoreStatus }) })
  expect(listed.archived ?? false).toBe(archived)
})

test.each(['é', 'x'.repeat(999)])('what no S3 writes does not get into messages: %s', (text) => {
  expect(toListed({ key: 'k', size: 1, etag: text, storageClass: text.toUpperCase() })).toEqual({
    key: 'k',
    size: 1,
  })
})
