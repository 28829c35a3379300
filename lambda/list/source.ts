import { compareKeys } from '../../protocol/key.ts'
import type { ListTask } from '../../protocol/task.ts'
import type { ListAnswer, ListedObject, ListRequest } from '../s3/index.ts'
import type { Source } from './reader.ts'

/**
 * The source bucket as the walk of a list task asks it.
 *
 * @param list one page of a bucket; what it throws is thrown
 */
export function sourceOf(
  { run: { source, options }, prefix }: Pick<ListTask, 'run' | 'prefix'>,
  list: (request: ListRequest) => Promise<ListAnswer>,
): Source<ListedObject> {
  const base = {
    bucket: source.bucket,
    prefix,
    requestPayer: options?.requestPayer,
    expectedBucketOwner: options?.sourceOwner,
    optionalObjectAttributes: 'RestoreStatus',
  } as const
  return {
    page: async ({ startAfter, token }) => {
      const answer = await list({ ...base, startAfter, continuationToken: token })
      return {
        objects: answer.objects,
        token: answer.isTruncated ? answer.nextContinuationToken : undefined,
      }
    },
    folders: async (folder, startAfter) => {
      const { objects, commonPrefixes, isTruncated } = await list({
        ...base,
        prefix: folder,
        delimiter: '/',
        startAfter,
      })
      const ends = [objects.at(-1)?.key, commonPrefixes.at(-1)].filter((key) => key !== undefined)
      return {
        folders: commonPrefixes,
        hasKeys: objects.length > 0,
        end: isTruncated ? ends.sort(compareKeys).at(-1) : undefined,
      }
    },
  }
}
