import sortedBtree from 'sorted-btree'
import { ACCOUNT_ID } from '../identity.ts'
import { type Bytes, toBytes } from './bytes.ts'
import type { Algorithm, Checksum, ChecksumType } from './checksums.ts'
import { Content } from './content.ts'
import { S3Error } from './errors.ts'

export const DEFAULT_REGION = 'us-east-1'

export type Encryption = {
  algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | 'SSE-C'
  /** ARN of the KMS key. */
  keyId?: string
  bucketKey?: boolean
  /** MD5 of the customer's key, for SSE-C. */
  customerKeyMd5?: string
}

type Restore = { ongoing: boolean; expires?: Date }

/** What belongs to an object besides its bytes. */
export type Attributes = {
  /**
   * Content-Type and its like, Expires as it was sent, and `x-amz-meta-*`; names in lower case, values as they stand in
   * HTTP, one character a byte.
   */
  headers: ReadonlyMap<string, string>
  tags: ReadonlyMap<string, string>
  storageClass: string
  encryption: Encryption
  /** x-amz-website-redirect-location. */
  redirect?: string
  acl?: string
  annotations: ReadonlyMap<string, string>
  /** State of a restored copy, for GLACIER and DEEP_ARCHIVE. */
  restore?: Restore
  /** ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS: an object in INTELLIGENT_TIERING that has been archived. */
  archiveStatus?: string
  /** In ms since the epoch; S3 keeps whole seconds. */
  lastModified: number
}

/** One version of one object; replaced as a whole, never changed. */
export type StoredObject = Readonly<
  Attributes & {
    content: Content
    /** Without quotes. */
    etag: string
    /** Undefined for the CRC64NVME that S3 computes when nobody gave a checksum. */
    checksum?: Checksum
    /** Sizes of the parts of an object made by multipart upload. */
    partSizes?: readonly number[]
  }
>

export type Part = { number: number; content: Content; etag: string; lastModified: number; checksum?: string }

export type Upload = {
  id: string
  key: Bytes
  initiated: number
  attributes: Partial<Attributes>
  checksum?: { algorithm: Algorithm; type: ChecksumType }
  parts: Map<number, Part>
}

export type Bucket = {
  name: string
  region: string
  /** The owner's account id. */
  owner: string
  created: number
  /** Ownership controls: under BucketOwnerEnforced, the default, ACLs are refused. */
  ownership: string
  requesterPays: boolean
  /** How objects are encrypted when the request doesn't say. */
  encryption: Encryption
  /** Documents of the settings that were put, by the query parameter that names them. */
  settings: Map<string, string>
  objects: ObjectIndex
  uploads: Map<string, Upload>
}

/** A right taken away: an action (`s3:GetObject`, `kms:Decrypt` …) everywhere, on a bucket, or on one key. */
export type Denial = { action: string; bucket?: string; key?: string }

export class ObjectIndex extends sortedBtree.default<Bytes, StoredObject> {
  constructor() {
    super(undefined, (a, b) => (a < b ? -1 : a === b ? 0 : 1), 64)
  }
}

/** Everything that this S3 holds. Tests and benches use it directly to arrange and inspect; keys are ordinary text here. */
export class Store {
  readonly buckets = new Map<string, Bucket>()
  readonly denials: Denial[] = []

  createBucket(
    name: string,
    options: Partial<Omit<Bucket, 'name' | 'settings' | 'objects' | 'uploads'>> = {},
  ): Bucket {
    const bucket: Bucket = {
      name,
      region: DEFAULT_REGION,
      owner: ACCOUNT_ID,
      created: Date.now(),
      ownership: 'BucketOwnerEnforced',
      requesterPays: false,
      encryption: { algorithm: 'AES256' },
      settings: new Map(),
      objects: new ObjectIndex(),
      uploads: new Map(),
      ...options,
    }
    this.buckets.set(name, bucket)
    return bucket
  }

  /** Throws NoSuchBucket. */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name)
    if (!bucket) throw new S3Error('NoSuchBucket', undefined, { elements: { BucketName: name } })
    return bucket
  }

  get(bucket: string, key: string): StoredObject | undefined {
    return this.bucket(bucket).objects.get(toBytes(key))
  }

  put(
    bucket: string,
    key: string,
    body: Content | Buffer | string,
    attributes: Partial<Attributes> = {},
  ): StoredObject {
    const home = this.bucket(bucket)
    const object = newObject(home, body instanceof Content ? body : Content.of(body), attributes)
    home.objects.set(toBytes(key), object)
    return object
  }

  /** Puts one and the same object under many keys: a million take a second or two. Returns their number. */
  load(
    bucket: string,
    keys: Iterable<string>,
    body: Content | Buffer | string = Content.EMPTY,
    attributes: Partial<Attributes> = {},
  ): number {
    const home = this.bucket(bucket)
    const object = newObject(home, body instanceof Content ? body : Content.of(body), attributes)
    let count = 0
    for (const key of keys) {
      home.objects.set(toBytes(key), object)
      count++
    }
    return count
  }

  /** Sets an archived object's restore state; undefined for none. Throws NoSuchKey. */
  setRestore(bucket: string, key: string, restore: Restore | undefined): void {
    const object = this.get(bucket, key)
    if (!object) throw new S3Error('NoSuchKey')
    const { restore: _, ...rest } = object
    this.bucket(bucket).objects.set(toBytes(key), restore ? { ...rest, restore } : rest)
  }

  /** Takes a right away; returns what gives it back. */
  deny(denial: Denial): () => void {
    this.denials.push(denial)
    return () => {
      const index = this.denials.indexOf(denial)
      if (index >= 0) this.denials.splice(index, 1)
    }
  }
}

const NOTHING: ReadonlyMap<string, string> = new Map()

/**
 * An object in the bucket's defaults, with the given attributes. The ETag is the content's MD5, except under KMS and
 * SSE-C, where it is no digest of the data (API reference, Object), unless one is given.
 */
export function newObject(
  bucket: Bucket,
  content: Content,
  attributes: Partial<Attributes> & Partial<Pick<StoredObject, 'etag' | 'checksum' | 'partSizes'>>,
): StoredObject {
  const encryption = attributes.encryption ?? bucket.encryption
  const lastModified = attributes.lastModified ?? Date.now()
  return {
    headers: NOTHING,
    tags: NOTHING,
    annotations: NOTHING,
    storageClass: 'STANDARD',
    ...attributes,
    encryption,
    content,
    etag: attributes.etag ?? contentEtag(content, encryption),
    lastModified: lastModified - (lastModified % 1000),
  }
}

export function contentEtag(content: Content, encryption: Encryption): string {
  return encryption.algorithm === 'AES256' ? content.md5 : randomEtag()
}

function randomEtag(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
}
