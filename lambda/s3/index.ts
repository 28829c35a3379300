import { COPY_OBJECT, type CopyAnswer, type CopyRequest } from './copy.ts'
import { LIST_OBJECTS_V2, type ListAnswer, type ListRequest } from './list.ts'
import { type Operation, type S3Options, Sender } from './sender.ts'

export * from './annotations.ts'
export type { CopyAnswer, CopyRequest } from './copy.ts'
export { failureOf, isThrottle, isTransient, orUnfinished, S3Error } from './errors.ts'
export { GET_FIRST_BYTE, HEAD_OBJECT, type HeadAnswer, type ObjectRequest } from './head.ts'
export type { NamedHeaders } from './headers.ts'
export type { ListAnswer, ListedObject, ListRequest } from './list.ts'
export * from './multipart.ts'
export type { Operation, S3Options } from './sender.ts'
export type { Header } from './signer.ts'
export { GET_OBJECT_TAGGING, PUT_OBJECT_TAGGING } from './tagging.ts'

/**
 * S3 for the calls that are made millions of times: about a tenth of the AWS SDK's work for each.
 *
 * Every call throws {@link S3Error}, or the signal's reason when it is aborted, and none is tried again, but for three
 * things that only the client can know: a connection that was closed while idle, a bucket in another region, and
 * a clock that is off. Each is put right once, and remembered.
 */
export type S3 = {
  /** One page of a bucket's keys. */
  listObjectsV2(request: ListRequest): Promise<ListAnswer>
  /** Copies an object of up to 5 GiB. */
  copyObject(request: CopyRequest): Promise<CopyAnswer>
  /** Any other operation. */
  perform<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output>
  /** Closes the connections; calls under way are answered first. */
  close(): Promise<void>
}

/** Throws when the endpoint is no URL, or there are no credentials in the environment at the first call. */
export function createS3Client(options: S3Options): S3 {
  const sender = new Sender(options)
  return {
    listObjectsV2: (request) => sender.perform(LIST_OBJECTS_V2, request),
    copyObject: (request) => sender.perform(COPY_OBJECT, request),
    perform: (operation, input) => sender.perform(operation, input),
    close: () => sender.close(),
  }
}
