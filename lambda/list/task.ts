import { compareKeys } from '../../protocol/key.ts'
import { MalformedMessageError } from '../../protocol/message.ts'
import type { Range } from '../../protocol/range.ts'
import type { Place } from '../../protocol/run.ts'
import { type ListTask, newCopyTask, newListTask } from '../../protocol/task.ts'
import { backoffMs, type Timing } from '../../protocol/timing.ts'
import {
  isTransient,
  type ListAnswer,
  type ListedObject,
  type ListRequest,
  type S3,
  S3Error,
  unfinished,
} from '../s3/index.ts'
import { Slots } from '../slots.ts'
import { type Attempt, emptyResult, type Result } from '../worker.ts'
import { deal } from './deal.ts'
import { toListed } from './listed.ts'
import { SharedListing } from './listing.ts'
import { Mixer } from './mixer.ts'
import { withoutPresent } from './present.ts'
import { all } from './reader.ts'
import { LANES, walk } from './walk.ts'

/**
 * How long a task lists before it hands on: its copies count only once its outcome has been sent, so this is also how
 * far behind the progress in the log can be.
 */
const SLICE_MS = 20_000
/** Requests to the destination at once, where the run asks what that has already, and pages that they are for. */
const LOOKS = 64
const PAGES = 8

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
  const askOnce = async (request: ListRequest): Promise<ListAnswer> => {
    const { signal } = attempt
    try {
      return await deps.s3.listObjectsV2({ ...request, signal })
    } catch (error) {
      throw signal.aborted && error === signal.reason ? unfinished() : error
    }
  }
  const list = async (request: ListRequest): Promise<ListAnswer> => {
    const ask = (continuationToken?: string) =>
      patiently(() => askOnce({ ...request, continuationToken }), timing, attempt.deadline)
    const { continuationToken } = request
    try {
      return await ask(continuationToken)
    } catch (error) {
      // How long a token lasts is not said, and it may be an earlier task's. The key says the same.
      const isOld = error instanceof S3Error && error.code === 'InvalidArgument' && continuationToken
      if (!isOld) throw error
      return await ask()
    }
  }
  const looks = new Slots(LOOKS)
  const pagesInWork = new Slots(PAGES)
  /** Lists the destination. An error says so: what it ends is the listing of the source. */
  const look = (request: ListRequest) =>
    looks.hold(() =>
      list(request).catch((error: unknown) => {
        throw error instanceof S3Error && !isTransient(error) ? ofDestination(error, run.destination) : error
      }),
    )
  /** What a run wants of a page; undefined when there is no time to look what the destination has. */
  const wantedOf = async (page: ListedObject[]): Promise<ListedObject[] | undefined> => {
    if (!options.overwrite) return page
    return await pagesInWork.hold(async () =>
      timing.now() < lookUntil ? await withoutPresent(page, run, look) : undefined,
    )
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
      emit: async (pages, ranges) => {
        const wanted = await all(pages.map(wantedOf))
        const found = wanted.flatMap((objects) => objects ?? []).map(toListed)
        await mixer.add(found)
        // Only what is sent counts: an error on the way leaves the pages to those who list the part again.
        const listed = pages.reduce((sum, page, index) => sum + (wanted[index] ? page.length : 0), 0)
        result.listed += listed
        result.skipped += listed - found.length
        const rest = ranges.filter((_, index) => !wanted[index])
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

/** Repeats a call that S3 refuses for the time being until it is answered. Throws definite errors at once, others when the time is up. */
async function patiently<T>(call: () => Promise<T>, timing: Timing, deadline: number): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      const pause = backoffMs(tries, timing.random)
      if (!isTransient(error) || timing.now() + pause >= deadline) throw error
      await timing.sleep(pause)
    }
  }
}
