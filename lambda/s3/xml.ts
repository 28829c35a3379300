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
 * positions. Returns the position behind that end tag. Throws XmlError when the text is cut off.
 */
export function children(
  xml: string,
  start: number,
  parent: string,
  visit: (name: string, from: number, to: number) => void,
): number {
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
    const end = xml.indexOf(`</${name}>`, close)
    if (end < 0) throw new XmlError(`${name} has no end`)
    visit(name, close + 1, end)
    at = end + name.length + 3
  }
}

/** Where the content of a document's root element begins; undefined when the root is another or missing. */
export function rootStart(xml: string, name: string): number | undefined {
  const match = /^\s*(?:<\?[^>]*\?>\s*)?<([\w.-]+)[^>]*>/.exec(xml)
  return match?.[1] === name ? match[0].length : undefined
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
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi,
    (all, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES.get(name) ?? all
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      return code <= 0x10ffff ? String.fromCodePoint(code) : all
    },
  )
}

const SLASH = 47
const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
])

function nameIn(xml: string, from: number, to: number): string {
  const tag = xml.slice(from, to)
  const blank = tag.indexOf(' ')
  return blank < 0 ? tag : tag.slice(0, blank)
}
