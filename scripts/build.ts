/**
 * Builds dist/ from the sources: compiles with tsc, bundles each entry with ncc, packs the functions into one zip.
 * The same sources give the same bytes, so that a check can compare.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { minifySync } from '@swc/core'
import { type Zippable, zipSync } from 'fflate'

const root = join(import.meta.dirname, '..')
/** Zip keeps local time from 1980 on; any fixed date will do. */
const MTIME = new Date(1980, 0, 1)
const LICENSES = 'licenses.txt'

function run(command: string, ...args: string[]): void {
  execFileSync(join(root, 'node_modules', '.bin', command), args, {
    cwd: root,
    stdio: ['ignore', 2, 'inherit'],
  })
}

/** Also puts beside the bundle the licence texts of the packages that it holds, as most of them ask for. */
function bundle(entry: string, out: string): void {
  run(
    'ncc',
    'build',
    join('build', entry),
    '--out',
    join('dist', out),
    '--target',
    'es2024',
    '--license',
    LICENSES,
    '--quiet',
  )
}

/** ncc's own --minify leaves in what nobody calls: a fifth of a function. Names of classes are names of errors in logs. */
function minify(path: string): string {
  return minifySync(readFileSync(path, 'utf8'), {
    module: true,
    ecma: 2022,
    compress: { toplevel: true, keep_classnames: true },
    mangle: { toplevel: true, keep_classnames: true },
    format: { comments: 'some' },
  }).code
}

for (const folder of ['build', 'dist']) rmSync(join(root, folder), { recursive: true, force: true })
run('tsc', '-p', 'tsconfig.build.json')

bundle('src/index.js', 'main')
bundle('src/post.js', 'post')

const zip: Zippable = {}
/** Each text once: the functions hold the same packages. */
const licenses = new Set<string>()
for (const name of ['list', 'copy']) {
  const folder = join(root, 'dist', 'functions', name)
  mkdirSync(folder, { recursive: true })
  bundle(`lambda/${name}/handler.js`, `functions/${name}`)
  // Lambda takes .mjs for an ES module without a package.json beside it.
  writeFileSync(join(folder, 'index.mjs'), minify(join(folder, 'index.js')))
  licenses.add(readFileSync(join(folder, LICENSES), 'utf8'))
  for (const file of ['index.js', 'package.json', LICENSES]) rmSync(join(folder, file), { force: true })
  zip[`${name}/index.mjs`] = [readFileSync(join(folder, 'index.mjs')), { mtime: MTIME, level: 9 }]
}
writeFileSync(join(root, 'dist', 'functions.zip'), zipSync(zip))
// Beside the zip and the folder, not in them: the functions have no use for it.
writeFileSync(join(root, 'dist', `functions.${LICENSES}`), [...licenses].join('\n'))
