import * as core from '@actions/core'
import type { Options } from '../protocol/run.ts'
import { readChoice, readOptional } from './read-input.ts'

const STORAGE_CLASSES = [
  'preserve',
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
  'REDUCED_REDUNDANCY',
] as const
/** S3 user guide, "Access control list overview", canned ACLs that an object can have. */
const ACLS = [
  '',
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
] as const

/**
 * Reads what becomes of all that belongs to an object.
 * @param attempt runs a reader, and gives the second value instead when it throws
 */
export function readOptions(attempt: <T>(read: () => T, fallback: T) => T): Options {
  const choice = <T extends string>(name: string, choices: readonly [T, ...T[]]): T =>
    attempt(() => readChoice(name, choices), choices[0])
  const owner = (name: string) =>
    attempt(() => readOptional(name, /^\d{12}$/, 'an account ID of 12 digits'), undefined)
  const storageClass = choice('storage-class', STORAGE_CLASSES)
  const sse = choice('sse', ['', 'AES256', 'aws:kms', 'aws:kms:dsse'])
  const sseKmsKey = core.getInput('destination-kms-key')
  attempt(() => {
    if (sse === 'AES256' && sseKmsKey !== '')
      throw new Error(
        'destination-kms-key: not allowed with `sse: AES256`, which takes no key. Leave `sse` empty or use `aws:kms`',
      )
  }, undefined)
  const acl = choice('acl', ACLS)
  const overwrite = choice('overwrite', ['always', 'never', 'if-newer'])
  const sourceOwner = owner('source-owner')
  const destinationOwner = owner('destination-owner')
  return {
    ...(choice('tags', ['copy', 'skip']) === 'skip' && { tags: 'skip' }),
    ...(choice('annotations', ['skip', 'copy']) === 'copy' && { annotations: 'copy' }),
    ...(choice('website-redirects', ['skip', 'copy']) === 'copy' && { websiteRedirects: 'copy' }),
    ...(storageClass !== 'preserve' && { storageClass }),
    ...(sse !== '' && { sse }),
    ...(sse.startsWith('aws:kms') && sseKmsKey !== '' && { sseKmsKey }),
    ...(acl !== '' && { acl }),
    ...(overwrite !== 'always' && { overwrite }),
    ...(choice('if-changed', ['copy', 'fail']) === 'fail' && { ifChanged: 'fail' }),
    ...(choice('archived', ['fail', 'skip']) === 'skip' && { archived: 'skip' }),
    ...(choice('request-payer', ['', 'requester']) === 'requester' && { requestPayer: 'requester' }),
    ...(sourceOwner !== undefined && { sourceOwner }),
    ...(destinationOwner !== undefined && { destinationOwner }),
  }
}
