import type { S3Client } from '@aws-sdk/client-s3'
import { ACCOUNT_ID } from '../../../local/identity.ts'
import type { Run } from '../../../protocol/run.ts'
import { type Checkpoint, firstCheckpoint } from '../../../src/checkpoint/checkpoint.ts'
import type { Subject } from '../../../src/checkpoint/run-key.ts'
import { CheckpointStore } from '../../../src/checkpoint/store.ts'

export const SUBJECT: Subject = {
  mode: 'copy',
  source: { bucket: 'from', prefix: '' },
  destination: { bucket: 'to', prefix: '' },
  batchSize: 10,
  options: {},
  parts: [{ prefix: '', ranges: [{}] }],
}

export function runOf(id: string, { mode: _mode, parts: _parts, ...about }: Subject = SUBJECT): Run {
  return { id, queue: `queue-of-${id}`, ...about }
}

/** A checkpoint of a run that was just seeded, held by a watcher until a time. */
export function checkpointOf(run: Run, watcher = 'w', until = 0, seeds = 1): Checkpoint {
  const parts = Array.from({ length: seeds }, (_, index) => ({ prefix: String(index), ranges: [{}] }))
  return firstCheckpoint(
    run,
    seeds === 1 ? SUBJECT : { mode: 'copy', parts },
    { id: watcher, name: watcher, until },
    0,
  )
}

type Input = {
  Key: string
  Body: Uint8Array
  IfMatch?: string
  IfNoneMatch?: string
  Delete: { Objects: { Key: string }[] }
  ExpectedBucketOwner?: string
}

/** S3 as far as checkpoints need it: objects in memory, and conditional writes as S3's user guide has them. */
export class FakeS3 {
  readonly objects = new Map<string, { bytes: Uint8Array; etag: string }>()
  /** Called before and after each request was carried out; what it throws is what the caller gets. */
  disturb: (moment: 'before' | 'after', command: string) => void = () => {}
  #writes = 0

  store(folder = 'runs/stack/key/'): CheckpointStore {
    return new CheckpointStore(this as unknown as S3Client, { name: 'artifacts', owner: ACCOUNT_ID }, folder)
  }

  async send(command: { constructor: { name: string }; input: Input }): Promise<object> {
    const { name } = command.constructor
    this.disturb('before', name)
    const answer = this.#answer(name, command.input)
    this.disturb('after', name)
    return answer
  }

  #answer(name: string, { Key, Body, IfMatch, IfNoneMatch, Delete, ExpectedBucketOwner }: Input): object {
    // Whoever has a bucket of that name must not be told of a run.
    if (ExpectedBucketOwner !== ACCOUNT_ID) throw named('AccessDenied')
    const there = this.objects.get(Key)
    switch (name) {
      case 'GetObjectCommand':
        if (!there) throw named('NoSuchKey')
        return { ETag: there.etag, Body: { transformToByteArray: async () => there.bytes } }
      case 'PutObjectCommand': {
        if (IfNoneMatch === '*' && there) throw named('PreconditionFailed')
        if (IfMatch !== undefined && !there) throw named('NoSuchKey')
        if (IfMatch !== undefined && there?.etag !== IfMatch) throw named('PreconditionFailed')
        const etag = `"${++this.#writes}"`
        this.objects.set(Key, { bytes: Uint8Array.from(Body), etag })
        return { ETag: etag }
      }
      case 'DeleteObjectCommand':
        if (!there) throw named('NoSuchKey')
        if (there.etag !== IfMatch) throw named('PreconditionFailed')
        this.objects.delete(Key)
        return {}
      case 'DeleteObjectsCommand':
        if (Delete.Objects.length > 1000) throw named('MalformedXML')
        for (const { Key } of Delete.Objects) this.objects.delete(Key)
        return {}
      default:
        throw new Error(`no ${name} here`)
    }
  }
}

export function named(name: string): Error {
  return Object.assign(new Error(name), { name })
}
