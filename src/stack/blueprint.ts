import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** Bytes of a template that can be sent inside a request (CloudFormation quotas, TemplateBody). */
export const TEMPLATE_BYTES = 51_200
/** How template.yaml names the functions' code for the SAM CLI. */
const LOCAL_CODE = 'CodeUri: dist/functions'

/** What a stack is made from: the template, the functions' code, and a fingerprint of the two. */
export type Blueprint = {
  template: string
  code: Buffer
  /** SHA-256 of the code, in hexadecimal. */
  codeHash: string
  fingerprint: string
}

/** Reads template.yaml and the zip with the functions. */
export async function readBlueprint(templatePath: string, codePath: string): Promise<Blueprint> {
  const [template, code] = await Promise.all([readFile(templatePath, 'utf8'), readFile(codePath)])
  const codeHash = sha256(code)
  return { template, code, codeHash, fingerprint: fingerprintOf(template, codeHash) }
}

/** Another for any change of template or code. Parameters are not in it: CloudFormation tells those itself. */
export function fingerprintOf(template: string, codeHash: string): string {
  return sha256(`${codeHash}\n${template}`).slice(0, 32)
}

/** The template with the functions' code at an S3 location in place of the local folder. Throws when it can't be sent. */
export function withCode(template: string, { bucket, key }: { bucket: string; key: string }): string {
  const parts = template.split(LOCAL_CODE)
  if (parts.length !== 2) throw new Error(`the template must say "${LOCAL_CODE}" once`)
  const packaged = parts.join(`CodeUri: s3://${bucket}/${key}`)
  if (Buffer.byteLength(packaged) > TEMPLATE_BYTES)
    throw new Error(`the template is larger than the ${TEMPLATE_BYTES} bytes that CloudFormation takes`)
  return packaged
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
