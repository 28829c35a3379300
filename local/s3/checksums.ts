import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc'

/** The checksum algorithms that this S3 computes; AWS's list also has the XXHASH family. */
export const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256', 'SHA512', 'MD5'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** FULL_OBJECT: over all bytes. COMPOSITE: over the checksums of the parts, with `-` and their number. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'
export type Checksum = { algorithm: Algorithm; type: ChecksumType; value: string }

export function isAlgorithm(name: string): name is Algorithm {
  return (ALGORITHMS as readonly string[]).includes(name)
}

export function checksumHeader(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`
}

export function checksumElement(algorithm: Algorithm): string {
  return `Checksum${algorithm}`
}

/** The checksum of the chunks one after the other, in base64. */
export async function checksumOf(algorithm: Algorithm, chunks: Iterable<Buffer>): Promise<string> {
  if (algorithm === 'CRC32') {
    let value = 0
    for (const chunk of chunks) value = crc32(chunk, value)
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes.toString('base64')
  }
  if (algorithm === 'CRC32C' || algorithm === 'CRC64NVME') {
    const hash = algorithm === 'CRC32C' ? new Crc32c() : new Crc64Nvme()
    for (const chunk of chunks) hash.update(chunk)
    return Buffer.from(await hash.digest()).toString('base64')
  }
  const hash = createHash(algorithm.toLowerCase())
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('base64')
}
