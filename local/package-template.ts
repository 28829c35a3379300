import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { type Zippable, zipSync } from 'fflate'
import { parseTemplate } from './cloudformation/template.ts'

/** Puts a zip where functions are created from, and gives its place. */
export type UploadCode = (zip: Uint8Array) => Promise<{ Bucket: string; Key: string }>

/**
 * Reads a template file as `sam package` does: each serverless function's CodeUri, a folder or a zip beside the template,
 * is uploaded and replaced by its place in S3. Gives the template as JSON. Throws when a CodeUri leads nowhere.
 */
export async function packageTemplate(path: string, upload: UploadCode): Promise<string> {
  const template = parseTemplate(await readFile(path, 'utf8'))
  const globals = template.Globals?.Function
  const uploaded = new Map<string, ReturnType<UploadCode>>()
  const packaged = async (codeUri: unknown): Promise<unknown> => {
    if (typeof codeUri !== 'string' || codeUri.startsWith('s3://')) return codeUri
    const source = resolve(dirname(path), codeUri)
    const place = uploaded.get(source) ?? readCode(source).then(upload)
    uploaded.set(source, place)
    return await place
  }
  if (globals?.CodeUri !== undefined) globals.CodeUri = await packaged(globals.CodeUri)
  for (const { Type, Properties = {} } of Object.values(template.Resources))
    if (Type === 'AWS::Serverless::Function' && Properties.CodeUri !== undefined)
      Properties.CodeUri = await packaged(Properties.CodeUri)
  return JSON.stringify(template)
}

/** The zip of a folder, or the zip itself. */
async function readCode(source: string): Promise<Uint8Array> {
  if (!(await stat(source)).isDirectory()) return await readFile(source)
  const entries: Zippable = {}
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    entries[relative(source, file).split(sep).join('/')] = await readFile(file)
  }
  return zipSync(entries, { level: 1 })
}
