import { XMLParser } from 'fast-xml-parser'
import { S3Error } from './errors.ts'

/** Names whose elements may repeat: always parsed into arrays. */
const LISTS = new Set(['Object', 'Part', 'Tag'])

// Text stays as it was sent: no numbers made of digits, no trimming; character references (&#13;) are decoded.
const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  isArray: (name) => LISTS.has(name),
})

/** A parsed element: text, or its children by name. */
export type Parsed = string | { [name: string]: Parsed | Parsed[] | undefined }

/** The named root element of a request body. Throws MalformedXML when the body is not that. */
export function parseXml(body: Buffer, root: string): Parsed {
  let document: { [name: string]: Parsed | undefined }
  try {
    document = parser.parse(body.toString('utf8'), true)
  } catch {
    throw new S3Error('MalformedXML')
  }
  const element = document[root]
  if (element === undefined) throw new S3Error('MalformedXML')
  return element
}

export function childText(element: Parsed, name: string): string | undefined {
  const child = typeof element === 'string' ? undefined : element[name]
  return typeof child === 'string' ? child : undefined
}

export function children(element: Parsed, name: string): Parsed[] {
  const found = typeof element === 'string' ? undefined : element[name]
  return Array.isArray(found) ? found : found === undefined ? [] : [found]
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/**
 * Text as S3 writes it. Control characters become references such as `&#x1;`, which XML 1.0 does not allow: readers
 * fail on them, which is why listings ask for `encoding-type=url`.
 */
function escapeXml(text: string): string {
  if (!/[&<>"\x00-\x08\x0b-\x1f]/.test(text)) return text
  return text.replace(
    /[&<>"\x00-\x08\x0b-\x1f]/g,
    (char) => ENTITIES[char] ?? `&#x${char.charCodeAt(0).toString(16)};`,
  )
}

/** One element with text; nothing when there is no value. */
export function element(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeXml(String(value))}</${name}>`
}

/** A whole answer in S3's namespace; `inner` is XML already. */
export function xmlDocument(root: string, inner: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`
}

export function errorDocument(fields: Record<string, string | number>): string {
  const inner = Object.entries(fields).map(([name, value]) => element(name, value))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner.join('')}</Error>`
}
