/**
 * The page with what stands between `<!-- name -->` and `<!-- /name -->` replaced by `text`. Throws when the page has no
 * such block.
 */
export function withBlock(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const from = page.indexOf(start)
  const to = page.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`the page has no lines <!-- ${name} --> and <!-- /${name} -->`)
  return `${page.slice(0, from + start.length)}\n${text}\n\n${page.slice(to)}`
}
