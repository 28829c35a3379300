/**
 * Just enough of XML for S3's answers, which have no attributes that matter, comments or CDATA: a walk over the children
 * of an element, and the five entities. A page of a listing takes a general parser many times longer.
 */

/** Raised where text ends before its elements do. */
export class XmlError extends Error {
  override readonly name = 'XmlError'
}

/**
 * Calls `visit` for each child element from `start` up to the end tag of `parent`, with its raw content between two
 * positions; `start` may be such a position. Returns the position behind that end tag. Throws XmlError when the text is
 * cut off.
 */
export function children(
  xml: string,
  start: number,
  parent: string,
  visit: (name: string, from: number, to: number) => void,
): number {
  // `<parent/>` has no content, and no other end.
  if (xml.charCodeAt(start - 1) === SLASH) return start + 1
  for (let at = start; ; ) {
    const open = xml.indexOf('<', at)
    const close = xml.indexOf('>', open)
    if (open < 0 || close < 0) throw new XmlError(`${parent} has no end`)
    if (xml.charCodeAt(open + 1) === SLASH) {
      if (!xml.startsWith(parent, open + 2)) throw new XmlError(`${parent} ends with another element's end`)
      return close + 1
    }
    if (xml.charCodeAt(close - 1) === SLASH) {
      visit(nameIn(xml, open + 1, close - 1), close, close)
      at = close + 1
      continue
    }
    const name = nameIn(xml, open + 1, close)
    const next = xml.indexOf('</', close)
    // Of an element that holds text alone it is the end; only others have to be looked through for theirs.
    const end = isEnd(xml, next, name) ? next : xml.indexOf(`</${name}>`, close)
    if (end < 0) throw new XmlError(`${name} has no end`)
    visit(name, close + 1, end)
    at = end + name.length + 3
  }
}

/** Where the content of a document's root element begins; undefined when the root is another or missing. */
export function rootStart(xml: string, name: string): number | undefined {
  const match = ROOT.exec(xml)
  return match?.[1] === name ? match[0].length : undefined
}

/**
 * Calls `visit` for each child of a document's root element, whatever that is called: servers like S3 have names of their
 * own for the answers to rare requests. Throws XmlError when there is none, or the text is cut off.
 */
export function rootChildren(xml: string, visit: (name: string, from: number, to: number) => void): void {
  const [whole, name] = ROOT.exec(xml) ?? []
  if (whole === undefined || name === undefined) throw new XmlError('it has no element')
  children(xml, whole.length, name, visit)
}

/** The text of the first element of that name, wherever it stands. */
export function element(xml: string, name: string): string | undefined {
  const open = xml.indexOf(`<${name}>`)
  if (open < 0) return undefined
  const start = open + name.length + 2
  const end = xml.indexOf(`</${name}>`, start)
  return end < 0 ? undefined : unescapeXml(xml.slice(start, end))
}

export function unescapeXml(text: string): string {
  // The quotes of an ETag are the most that there is as a rule.
  const quoted = text.replaceAll('&quot;', '"')
  if (!quoted.includes('&')) return quoted
  return quoted.replace(
    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi,
    (all, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES.get(name) ?? all
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return code <= 0x10ffff ? String.fromCodePoint(code) : all
    },
  )
}

const ROOT = /^\s*(?:<\?[^>]*\?>\s*)?<([\w.-]+)[^>]*>/
const SLASH = 47
const GREATER = 62
const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
])

function isEnd(xml: string, at: number, name: string): boolean {
  return xml.startsWith(name, at + 2) && xml.charCodeAt(at + 2 + name.length) === GREATER
}

function nameIn(xml: string, from: number, to: number): string {
  const tag = xml.slice(from, to)
  const blank = tag.indexOf(' ')
  return blank < 0 ? tag : tag.slice(0, blank)
}
