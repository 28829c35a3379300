import type { Options } from '../protocol/run.ts'
import { formatCount } from './format.ts'
import type { Totals } from './totals.ts'

/** What became of one kind of thing that belongs to objects: of how many copies it was kept, set anew or left out. */
type Fidelity = {
  what: string
  kept: number
  setAnew: number
  leftOut: number
  /** Why, where it was not kept. */
  how: string
}

/**
 * What the copies have of all that belonged to their sources. Counted by policy: the listing does not tell which objects
 * have tags, an ACL or a lock, so `left out` means that none of the copies has any.
 */
export function fidelity(
  { copied, reclassed }: Pick<Totals, 'copied' | 'reclassed'>,
  options: Options,
): Fidelity[] {
  const kept = (what: string): Fidelity => ({ what, kept: copied, setAnew: 0, leftOut: 0, how: '' })
  const setAnew = (what: string, count: number, how: string): Fidelity => ({
    what,
    kept: copied - count,
    setAnew: count,
    leftOut: 0,
    how,
  })
  const leftOut = (what: string, how: string): Fidelity => ({
    what,
    kept: 0,
    setAnew: 0,
    leftOut: copied,
    how,
  })
  const { tags, storageClass, sse, acl, annotations, websiteRedirects } = options
  return [
    kept('Metadata'),
    tags === 'skip' ? leftOut('Tags', 'tags: skip') : kept('Tags'),
    reclassed > 0 ? setAnew('Storage class', reclassed, `to ${storageClass}`) : kept('Storage class'),
    setAnew('Encryption', copied, sse ?? 'the destination bucket’s default'),
    setAnew('ACL', copied, acl ?? 'private'),
    annotations ? kept('Annotations') : leftOut('Annotations', 'annotations: skip'),
    websiteRedirects ? kept('Website redirects') : leftOut('Website redirects', 'website-redirects: skip'),
    leftOut('Object Lock, older versions', 'never copied'),
  ]
}

/** The same in one line for the log. */
export function tellFidelity(lines: Fidelity[]): string {
  const names = (chosen: Fidelity[]) => chosen.map(({ what }) => what.toLowerCase()).join(', ')
  const anew = lines
    .filter(({ setAnew }) => setAnew > 0)
    .map(
      ({ what, kept, setAnew, how }) =>
        `${what.toLowerCase()}${kept > 0 ? ` of ${formatCount(setAnew)}` : ''} (${how})`,
    )
  const parts = [
    `kept: ${names(lines.filter(({ kept, setAnew }) => kept > 0 && setAnew === 0))}`,
    `set anew: ${anew.join(', ')}`,
    `left out: ${names(lines.filter(({ leftOut }) => leftOut > 0))}`,
  ]
  return `Properties of the copies: ${parts.join('; ')}`
}
