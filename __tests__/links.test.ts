import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '..')
const PAGES = ['.', 'docs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, folder, name)),
)

const SOURCES = ['__tests__', 'aws', 'bench', 'lambda', 'local', 'protocol', 'scripts', 'src'].flatMap(
  (folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
)

/** What GitHub makes of a page's headings. */
function anchorsOf(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

test.each(PAGES.map((page) => relative(ROOT, page)))(
  'each link of %s within this repository leads somewhere',
  (name) => {
    const page = join(ROOT, name)
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? page : join(dirname(page), path)
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor))
    })
    expect(broken.map(([link]) => link)).toEqual([])
  },
)

test.each(PAGES.map((page) => relative(ROOT, page)))('each file of code that %s names is there', (name) => {
  const named = [...readFileSync(join(ROOT, name), 'utf8').matchAll(/`([\w./-]+\.ts)`/g)].map(
    ([, path = '']) => path,
  )
  const isThere = (path: string) => SOURCES.some((source) => source === path || basename(source) === path)
  expect(named.filter((path) => !isThere(path))).toEqual([])
})
