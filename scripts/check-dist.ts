/** Fails when dist/ is not what the sources build. Leaves the fresh build in place, ready to commit. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
await import('./build.ts')
const changed = execFileSync('git', ['status', '--porcelain', '--', 'dist'], { cwd: root, encoding: 'utf8' })
if (changed !== '') {
  console.error(`dist/ is stale. Run npm run build and commit it:\n${changed}`)
  process.exit(1)
}
console.log('dist/ is what the sources build')
