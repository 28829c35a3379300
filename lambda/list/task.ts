import { compareKeys } from '../../protocol/key.ts'
import { MalformedMessageError } from '../../protocol/message.ts'
import type { Range } from '../../protocol/range.ts'
import type { Place } from '../../protocol/run.ts'
import { type ListTask, newCopyTask, newListTask } from '../../protocol/task.ts'
import type { Timing } from '../../protocol/timing.ts'
import { isTransient, type ListedObject, type ListRequest, type S3, S3Error } from '../s3/index.ts'
import { Slots } from '../slots.ts'
import { type Attempt, emptyResult, type Result } from '../worker.ts'
import { deal } from './deal.ts'
import { toListed } from './listed.ts'
import { SharedListing } from './listing.ts'
import { Mixer } from './mixer.ts'
import { patientList } from './patient-list.ts'
import { withoutPresent } from './present.ts'
import { all, type Read } from './reader.ts'
import { LANES, walk } from './walk.ts'

/**
 * How long a task lists before it hands on: its copies count only once its outcome has been sent, so this is also how
 * far behind the progress in the log can be.
 */
const SLICE_MS = 20_000
/** Requests to the destination at once, where the run asks what that has already, and pages that they are for. */
const LOOKS = 64
const PAGES = 8

type Page = Read<ListedObject>

export type ListDeps = {
  s3: Pick<S3, 'listObjectsV2'>
  timing: Timing
  listQueueUrl: string
  copyQueueUrl: string
  /** Tells about how many messages wait in a queue; undefined when that can't be told. */
  waiting: (queueUrl: string) => Promise<number | undefined>
}

/**
 * Works on one list task: lists its part, sends copy tasks on the way, and hands parts of it to other list tasks. A
 * definite error of S3 ends the listing and is reported, with what was listed before. Throws when S3 could not be reached
 * for so long that the time is up, and MalformedMessageError for a part outside of the source.
 */
export async function workOnListTask(task: ListTask, attempt: Attempt, deps: ListDeps): Promise<Result> {
  const { run, prefix, ranges } = task
  const { options = {} } = run
  const { timing } = deps
  if (!prefix.startsWith(run.source.prefix))
    throw new MalformedMessageError('not a list task: its part lies outside the source prefix')
  const handOnAt = Math.min(attempt.deadline, timing.now() + SLICE_MS)
  /** Looks may take long: what was read and not looked for by then is handed on as well. */
  const lookUntil = (timing.now() + attempt.deadline) / 2
  const result = emptyResult()
  const listing = new SharedListing(task.listing ?? { began: timing.now(), shares: 1, found: 0 }, timing)
  const mixer = new Mixer({
    timing,
    batchSize: run.batchSize,
    listing,
    isFirst: !task.listing,
    send: (objects, delay) => attempt.spawn(deps.copyQueueUrl, (id) => newCopyTask(id, run, objects), delay),
    dispatch: attempt.dispatch,
    waiting: (kind) => deps.waiting(kind === 'list' ? deps.listQueueUrl : deps.copyQueueUrl),
    until: handOnAt,
  })
  const list = patientList(deps.s3, timing, attempt)
  const looks = new Slots(LOOKS)
  const pagesInWork = new Slots(PAGES)
  /** Lists the destination. An error says so: what it ends is the listing of the source. */
  const lookThere = (request: ListRequest) =>
    looks.hold(() =>
      list(request).catch((error: unknown) => {
        throw error instanceof S3Error && !isTransient(error) ? ofDestination(error, run.destination) : error
      }),
    )
  /** Finds what a run wants of a page: nothing is said of that when there is no time to look what the destination has. */
  const lookFor = async (page: Page): Promise<Page & { wanted?: ListedObject[] | undefined }> => {
    if (!options.overwrite) return { ...page, wanted: page.objects }
    const look = () => withoutPresent(page.objects, run, lookThere)
    const wanted = await pagesInWork.hold(async () => (timing.now() < lookUntil ? await look() : undefined))
    return { ...page, wanted }
  }
  const handOn = async (hands: Range[][]): Promise<void> => {
    if (hands.length === 0) return
    const theirs = task.listing ? listing.forNext : listing.shareWith(hands.length)
    for (const rest of hands)
      await attempt.spawn(deps.listQueueUrl, (id) => newListTask(id, run, { prefix, ranges: rest }, theirs))
    await attempt.dispatch()
  }
  /** What was not listed to its end when S3 refused. */
  let left = ranges
  const part = {
    bucket: run.source.bucket,
    prefix,
    requestPayer: options.requestPayer,
    expectedBucketOwner: options.sourceOwner,
    optionalObjectAttributes: 'RestoreStatus',
  } as const
  try {
    await walk<ListedObject>(ranges, {
      prefix,
      page: async ({ startAfter, token }) => {
        const answer = await list({ ...part, startAfter, continuationToken: token })
        return {
          objects: answer.objects,
          token: answer.isTruncated ? answer.nextContinuationToken : undefined,
        }
      },
      folders: async (folder, startAfter) => {
        const { objects, commonPrefixes, isTruncated } = await list({
          ...part,
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
      emit: async (pages) => {
        const looked = await all(pages.map(lookFor))
        const found = looked.flatMap(({ wanted }) => wanted ?? []).map(toListed)
        await mixer.add(found)
        // Only what is sent counts: an error on the way leaves the pages to those who list the part again.
        const listed = looked.reduce((sum, { objects, wanted }) => sum + (wanted ? objects.length : 0), 0)
        result.listed += listed
        result.skipped += listed - found.length
        const rest = looked.filter(({ wanted }) => !wanted).map(({ range }) => range)
        await handOn(deal(rest.sort(compareRanges), LANES))
      },
      spawn: handOn,
      isLarge: () => listing.isLarge,
      isHuge: () => listing.isHuge,
      isLate: () => timing.now() >= handOnAt || mixer.isFull,
      onError: (rest) => {
        left = rest
      },
    })
  } catch (error) {
    if (!(error instanceof S3Error) || isTransient(error)) throw error
    result.unlisted = { part: { prefix, ranges: left }, code: error.code, message: error.message }
  }
  await mixer.end()
  return result
}

/** By where they begin: S3's answers came in any order. */
function compareRanges(a: Range, b: Range): number {
  return compareKeys(a.after ?? '', b.after ?? '')
}

function ofDestination({ code, message, status }: S3Error, { bucket }: Place): S3Error {
  return new S3Error(code, `the destination ${bucket} cannot be listed: ${message}`, { status })
}
