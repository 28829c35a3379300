import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

/** An object to upload: a file of the tree, or a body of a few bytes under a difficult key. */
export type DemoObject = {
  key: string
  path?: string
  contentType: string
  metadata: Record<string, string>
  /** `name=value&…` */
  tagging?: string
  storageClass?: 'STANDARD_IA'
}

const TYPES: Record<string, string> = {
  js: 'text/javascript',
  mjs: 'text/javascript',
  cjs: 'text/javascript',
  json: 'application/json',
  map: 'application/json',
  md: 'text/markdown; charset=utf-8',
  ts: 'application/typescript',
  html: 'text/html',
  wasm: 'application/wasm',
}

/** Every file below a folder; links are left out. */
export async function filesBelow(folder: string): Promise<DemoObject[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  return await Promise.all(
    files.map(async (path) => {
      const { mtimeMs } = await stat(path)
      const key = relative(folder, path).split(sep).join('/')
      const extension = key.split('.').at(-1) ?? ''
      return {
        key,
        path,
        contentType: TYPES[extension] ?? 'application/octet-stream',
        metadata: { mtime: String(Math.round(mtimeMs)), origin: encodeURIComponent(key).slice(-200) },
      }
    }),
  )
}

/** Keys that have bitten copiers: each is one object. */
const DIFFICULT_KEYS = [
  'plus+sign',
  'percent%41%2F%',
  'space and  two',
  'query?versionId=x&a=b#c;d',
  'quotes"\'`<tag>&amp;',
  'double//slash',
  '/leading slash',
  'folder marker/',
  'dots/./../here',
  'up/..',
  '.',
  'control\u0001\u001f\u007f',
  'tab\tand\nnew line\rreturn',
  'noncharacters \ufffe \uffff',
  'emoji 🚀 above \u{10fffd}',
  'private use \ue000 sorts below 🚀',
  'é composed (NFC)'.normalize('NFC'),
  'é composed (NFD)'.normalize('NFD'),
  '®egistered',
  'ørsted',
  '日本語/キー',
  '🚀',
  '\u{10ffff}',
  '!',
  '~',
  ' ',
  'a\n::set-output name=copied::0',
  '::error::not an error',
  '| a | table | **bold** <img src=x onerror=alert(1)> [link](https://example.com)',
  'right-to-left \u202egnp.exe',
  '__proto__',
  'constructor',
  'soap',
  'long '.padEnd(1024 - 'difficult/'.length, 'x'),
  `long 日`.padEnd(340, '本'),
]

export function difficultObjects(prefix: string): DemoObject[] {
  return DIFFICULT_KEYS.map((key) => ({
    key: prefix + key,
    contentType: 'text/plain; charset=utf-8',
    metadata: { difficult: 'yes' },
    tagging: 'team=data&difficult=yes',
    storageClass: 'STANDARD_IA',
  }))
}
