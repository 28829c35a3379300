import { describe, expect, test } from '@jest/globals'
import type { Options } from '../../protocol/run.ts'
import { fidelity, tellFidelity } from '../../src/fidelity.ts'

const of = (options: Options, reclassed = 0) => fidelity({ copied: 1000, reclassed }, options)
const line = (what: string, options: Options, reclassed?: number) => {
  const found = of(options, reclassed).find((one) => one.what === what)
  return [found?.kept, found?.setAnew, found?.leftOut, found?.how]
}

describe('of the copies of a run', () => {
  test.each<[string, Options, number, (number | string)[]]>([
    ['Metadata', {}, 0, [1000, 0, 0, '']],
    ['Tags', {}, 0, [1000, 0, 0, '']],
    ['Tags', { tags: 'skip' }, 0, [0, 0, 1000, 'tags: skip']],
    ['Storage class', {}, 0, [1000, 0, 0, '']],
    ['Storage class', { storageClass: 'GLACIER_IR' }, 7, [993, 7, 0, 'to GLACIER_IR']],
    ['Encryption', {}, 0, [0, 1000, 0, 'the destination bucket’s default']],
    ['Encryption', { sse: 'aws:kms' }, 0, [0, 1000, 0, 'aws:kms']],
    ['ACL', {}, 0, [0, 1000, 0, 'private']],
    ['ACL', { acl: 'public-read' }, 0, [0, 1000, 0, 'public-read']],
    ['Annotations', {}, 0, [0, 0, 1000, 'annotations: skip']],
    ['Annotations', { annotations: 'copy' }, 0, [1000, 0, 0, '']],
    ['Website redirects', {}, 0, [0, 0, 1000, 'website-redirects: skip']],
    ['Website redirects', { websiteRedirects: 'copy' }, 0, [1000, 0, 0, '']],
    ['Object Lock, older versions', {}, 0, [0, 0, 1000, 'never copied']],
  ])('%s under %j', (what, options, reclassed, counts) => {
    expect(line(what, options, reclassed)).toEqual(counts)
  })

  test('the log says all of it in a line', () => {
    expect(tellFidelity(of({ storageClass: 'GLACIER_IR', tags: 'skip', annotations: 'copy' }, 7))).toBe(
      'Properties of the copies: kept: metadata, annotations; ' +
        'set anew: storage class of 7 (to GLACIER_IR), encryption (the destination bucket’s default), acl (private); ' +
        'left out: tags, website redirects, object lock, older versions',
    )
  })
})
