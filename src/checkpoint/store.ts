import { setTimeout as delay } from 'node:timers/promises'
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'

/** Objects of one DeleteObjects at most (S3 API reference). */
const DELETE_AT_ONCE = 1000
/** A conditional write met another that was under way: it is to be made again (S3 user guide, conditional writes). */
const UNDER_WAY = 'ConditionalRequestConflict'
const WRITES = 5
const AGAIN_MS = 500
/** The same, or a conditional write or delete found another object than it expected, or none. */
const CONFLICTS = ['PreconditionFailed', 'NoSuchKey', UNDER_WAY]

/** The bucket that checkpoints are kept in, and the account that owns it. */
export type Bucket = { name: string; owner: string }

/** A checkpoint as it was read, and the ETag by which it can be replaced. */
export type Found = { checkpoint: Checkpoint; etag: string }

/** Keeps the checkpoint of one run, and the segments with its failures, in a folder of a bucket. */
export class CheckpointStore {
  readonly #s3: S3Client
  readonly bucket: Bucket
  readonly folder: string

  /** @param folder a key that ends with `/` */
  constructor(s3: S3Client, bucket: Bucket, folder: string) {
    this.#s3 = s3
    this.bucket = bucket
    this.folder = folder
  }

  /** The checkpoint, or undefined when there is none. Throws a UserError when what is there is none of this version. */
  async read(): Promise<Found | undefined> {
    try {
      const { Body, ETag = '' } = await this.#s3.send(new GetObjectCommand(this.#at(STATE)))
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array()
      return { checkpoint: await decodeCheckpoint(bytes, this.#url), etag: ETag }
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined
      throw error
    }
  }

  /**
   * Writes the checkpoint, if what is there is what `expected` says: the ETag of the one before, or undefined for none.
   * @returns its ETag, or undefined when something else is there
   */
  async write(checkpoint: Checkpoint, expected: string | undefined): Promise<string | undefined> {
    const body = await encodeCheckpoint(checkpoint)
    for (let tries = 1; ; tries++) {
      try {
        const { ETag } = await this.#s3.send(
          new PutObjectCommand({
            ...this.#at(STATE),
            Body: body,
            ContentType: 'application/gzip',
            ...(expected === undefined ? { IfNoneMatch: '*' } : { IfMatch: expected }),
          }),
        )
        return ETag
      } catch (error) {
        const { name } = error as Error
        if (!CONFLICTS.includes(name)) throw error
        const found = await this.read()
        const { watcher, savedAt } = checkpoint
        const isOurs = found?.checkpoint.watcher.id === watcher.id && found.checkpoint.savedAt === savedAt
        // A write whose answer got lost is repeated by the SDK, and finds itself there; or still under way.
        if (isOurs) return found.etag
        if (name !== UNDER_WAY || tries === WRITES) return undefined
        await delay(AGAIN_MS)
      }
    }
  }

  async writeSegment(watcher: string, number: number, bytes: Uint8Array): Promise<void> {
    await this.#s3.send(
      new PutObjectCommand({
        ...this.#at(segmentName(watcher, number)),
        Body: bytes,
        ContentType: 'application/x-ndjson',
      }),
    )
  }

  /** The contents of the segments that a checkpoint names, one after the other. */
  async *segments({ segments }: Checkpoint): AsyncGenerator<Uint8Array> {
    for (const name of segmentNames(segments)) {
      const { Body } = await this.#s3.send(new GetObjectCommand(this.#at(name)))
      if (Body) yield await Body.transformToByteArray()
    }
  }

  async removeSegments({ segments }: Checkpoint): Promise<void> {
    await this.#remove(segmentNames(segments))
  }

  /**
   * Removes the checkpoint and the segments that it names, unless somebody has gone on from it: another run of the same key
   * may have begun. What a crash has left beside them expires by itself.
   */
  async remove({ checkpoint, etag }: Found): Promise<void> {
    try {
      await this.#s3.send(new DeleteObjectCommand({ ...this.#at(STATE), IfMatch: etag }))
    } catch (error) {
      const { name } = error as Error
      if (!CONFLICTS.includes(name)) throw error
      if (name !== 'NoSuchKey') return
    }
    await this.removeSegments(checkpoint)
  }

  async #remove(names: string[]): Promise<void> {
    const { Bucket, ExpectedBucketOwner } = this.#at('')
    for (let from = 0; from < names.length; from += DELETE_AT_ONCE)
      await this.#s3.send(
        new DeleteObjectsCommand({
          Bucket,
          ...(ExpectedBucketOwner && { ExpectedBucketOwner }),
          Delete: {
            Objects: names.slice(from, from + DELETE_AT_ONCE).map((name) => ({ Key: this.folder + name })),
            Quiet: true,
          },
        }),
      )
  }

  get #url(): string {
    return `s3://${this.bucket.name}/${this.folder}${STATE}`
  }

  #at(name: string): { Bucket: string; Key: string; ExpectedBucketOwner: string } {
    const { name: Bucket, owner: ExpectedBucketOwner } = this.bucket
    return { Bucket, Key: this.folder + name, ExpectedBucketOwner }
  }
}

const STATE = 'run.json.gz'

/** Named by the watcher, so that one that has lost its lease and does not know it yet overwrites nobody's. */
function segmentName(watcher: string, number: number): string {
  return `failures-${watcher}-${number}.ndjson`
}

function segmentNames(segments: Checkpoint['segments']): string[] {
  return segments.flatMap(([watcher, count]) =>
    Array.from({ length: count }, (_, index) => segmentName(watcher, index)),
  )
}
