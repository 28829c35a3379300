import { compareKeys } from '../../protocol/key.ts'
import { MalformedMessageError } from '../../protocol/message.ts'
import type { Range } from '../../protocol/range.ts'
import { type ListTask, newCopyTask, newListTask } from '../../protocol/task.ts'
import type { Timing } from '../../protocol/timing.ts'
import { isTransient, type ListedObject, type S3, S3Error } from '../s3/index.ts'
import { type Attempt, emptyResult, type Result } from '../worker.ts'
import { deal } from './deal.ts'
import { Mixer } from './mixer.ts'
import { patientList } from './patient-list.ts'
import { all } from './reader.ts'
import { SharedListing } from './shared-listing.ts'
import { sourceOf } from './source.ts'
import { toListed } from './to-listed.ts'
import { LANES, walk } from './walk.ts'
import { wantedBy } from './wanted.ts'

/**
 * How long a task lists before it hands on: its copies count only once its outcome has been sent, so this is also how
 * far behind the progress in the log can be.
 */
const SLICE_MS = 20_000

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
 *
 * docs/development.md has a map of the pieces.
 */
export async function workOnListTask(task: ListTask, attempt: Attempt, deps: ListDeps): Promise<Result> {
  const { run, prefix, ranges } = task
  const { timing } = deps
  if (!prefix.startsWith(run.source.prefix))
    throw new MalformedMessageError('not a list task: its part lies outside the source prefix')
  const handOnAt = Math.min(attempt.deadline, timing.now() + SLICE_MS)
  /** Looks at the destination may take long: what was read and not looked for by then is handed on as well. */
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
  const lookFor = wantedBy(run, list, timing, lookUntil)
  const handOn = async (hands: Range[][]): Promise<void> => {
    if (hands.length === 0) return
    const theirs = task.listing ? listing.forNext : listing.shareWith(hands.length)
    for (const rest of hands)
      await attempt.spawn(deps.listQueueUrl, (id) => newListTask(id, run, { prefix, ranges: rest }, theirs))
    await attempt.dispatch()
  }
  /** What was not listed to its end when S3 refused. */
  let left = ranges
  try {
    await walk<ListedObject>(ranges, {
      ...sourceOf(task, list),
      prefix,
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
