import { createHash } from 'node:crypto'
import { type Algorithm, checksumOf } from './checksums.ts'

type ByteRun = { bytes: Buffer }
type PatternRun = { pattern: string; offset: number; length: number }
type Run = ByteRun | PatternRun

const CHUNK = 64 * 1024

function lengthOf(run: Run): number {
  return 'bytes' in run ? run.bytes.length : run.length
}

/**
 * What an object holds; never changed once made, so copies share it. Real bytes, or sparse: a pattern whose every byte
 * follows from the pattern's name and the byte's offset, so that 50 TB take no memory and a misplaced part shows.
 *
 * MD5 and checksums of sparse content are those of a description of it (pattern, offset, length; neighbours joined),
 * not of its bytes: cheap at any size, and equal for equal content however it was put together.
 */
export class Content {
  static readonly EMPTY = new Content([])
  readonly size: number
  readonly #runs: readonly Run[]
  readonly #digests = new Map<string, string>()

  private constructor(runs: readonly Run[]) {
    this.#runs = runs
    this.size = runs.reduce((sum, run) => sum + lengthOf(run), 0)
  }

  static of(bytes: Buffer | string): Content {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    return buffer.length === 0 ? Content.EMPTY : new Content([{ bytes: buffer }])
  }

  /** `size` bytes of the named pattern, from `offset` on. */
  static sparse(size: number, pattern = 'sparse', offset = 0): Content {
    return size === 0 ? Content.EMPTY : new Content([{ pattern, offset, length: size }])
  }

  static concat(contents: readonly Content[]): Content {
    const runs: Run[] = []
    for (const run of contents.flatMap((content) => content.#runs)) {
      const last = runs.at(-1)
      if (last && 'pattern' in last && 'pattern' in run && follows(last, run)) {
        runs[runs.length - 1] = { ...last, length: last.length + run.length }
      } else runs.push(run)
    }
    return new Content(runs)
  }

  /** The bytes from `start` up to, not including, `end`. */
  slice(start: number, end: number): Content {
    if (start === 0 && end === this.size) return this
    const runs: Run[] = []
    let at = 0
    for (const run of this.#runs) {
      const from = Math.max(start - at, 0)
      const to = Math.min(end - at, lengthOf(run))
      if (from < to) {
        if ('bytes' in run) runs.push({ bytes: run.bytes.subarray(from, to) })
        else runs.push({ pattern: run.pattern, offset: run.offset + from, length: to - from })
      }
      at += lengthOf(run)
    }
    return new Content(runs)
  }

  *chunks(): Generator<Buffer> {
    for (const run of this.#runs) {
      if ('bytes' in run) yield run.bytes
      else yield* patternChunks(run)
    }
  }

  /** The bytes, when they lie in memory in one piece. */
  get piece(): Buffer | undefined {
    const [first] = this.#runs
    if (!first) return Buffer.alloc(0)
    return this.#runs.length === 1 && 'bytes' in first ? first.bytes : undefined
  }

  /** All bytes at once; for content that fits into memory. */
  toBuffer(): Buffer {
    return this.piece ?? Buffer.concat([...this.chunks()])
  }

  /** Hexadecimal MD5, as in an ETag. */
  get md5(): string {
    const known = this.#digests.get('etag')
    if (known !== undefined) return known
    const hash = createHash('md5')
    for (const chunk of this.#digestInput()) hash.update(chunk)
    const digest = hash.digest('hex')
    this.#digests.set('etag', digest)
    return digest
  }

  /** The checksum in base64. */
  async checksum(algorithm: Algorithm): Promise<string> {
    const known = this.#digests.get(algorithm)
    if (known !== undefined) return known
    const digest = await checksumOf(algorithm, this.#digestInput())
    this.#digests.set(algorithm, digest)
    return digest
  }

  *#digestInput(): Generator<Buffer> {
    if (!this.#runs.some((run) => 'pattern' in run)) {
      yield* this.chunks()
      return
    }
    let bytes: Buffer[] = []
    for (const run of this.#runs) {
      if ('bytes' in run) {
        bytes.push(run.bytes)
        continue
      }
      yield* describeBytes(bytes)
      bytes = []
      yield Buffer.from(`pattern ${JSON.stringify(run.pattern)} ${run.offset} ${run.length}\n`)
    }
    yield* describeBytes(bytes)
  }
}

function follows(last: PatternRun, next: PatternRun): boolean {
  return last.pattern === next.pattern && last.offset + last.length === next.offset
}

function* describeBytes(buffers: readonly Buffer[]): Generator<Buffer> {
  if (buffers.length === 0) return
  const hash = createHash('md5')
  for (const buffer of buffers) hash.update(buffer)
  yield Buffer.from(`bytes ${hash.digest('hex')}\n`)
}

/** Every 8 bytes of a pattern are their number in it, mixed with a hash of its name. */
function* patternChunks({ pattern, offset, length }: PatternRun): Generator<Buffer> {
  const seed = createHash('md5').update(pattern).digest()
  const low = seed.readUInt32LE(0)
  const high = seed.readUInt32LE(4)
  const end = offset + length
  for (let at = offset; at < end; ) {
    const start = at - (at % 8)
    const upTo = Math.min(end, start + CHUNK)
    const chunk = Buffer.allocUnsafe(CHUNK)
    for (let i = 0; start + i < upTo; i += 8) {
      const word = (start + i) / 8
      chunk.writeUInt32LE((Math.imul(word >>> 0, 0x9e3779b1) ^ low) >>> 0, i)
      chunk.writeUInt32LE((Math.floor(word / 2 ** 32) ^ high) >>> 0, i + 4)
    }
    yield chunk.subarray(at - start, upTo - start)
    at = upTo
  }
}
