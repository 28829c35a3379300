import { hash } from 'node:crypto'

/** Bytes that SHA-256 takes in at a time, and gives. */
const BLOCK = 64
const DIGEST = 32

/**
 * HMAC-SHA256 (RFC 2104) of ASCII texts by a key of at most 64 bytes, in hex. Two calls of `hash` take half as long as
 * Node's `createHmac`, and leave no native object behind for each text.
 */
export function hmacSha256(key: Uint8Array): (text: string) => string {
  const inner = Buffer.alloc(BLOCK, 0x36)
  const outer = Buffer.alloc(BLOCK + DIGEST, 0x5c)
  for (const [i, byte] of key.entries()) {
    inner[i] = 0x36 ^ byte
    outer[i] = 0x5c ^ byte
  }
  const start = inner.toString('latin1')
  return (text) => {
    outer.write(hash('sha256', Buffer.from(start + text, 'latin1'), 'binary'), BLOCK, 'binary')
    return hash('sha256', outer)
  }
}
