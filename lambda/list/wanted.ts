import type { Place, Run } from '../../protocol/run.ts'
import type { Timing } from '../../protocol/timing.ts'
import { isTransient, type ListAnswer, type ListedObject, type ListRequest, S3Error } from '../s3/index.ts'
import { Slots } from '../slots.ts'
import { withoutPresent } from './present.ts'
import type { Read } from './reader.ts'

/** Requests to the destination at once, where the run asks what that has already, and pages that they are for. */
const LOOKS = 64
const PAGES = 8

type Page = Read<ListedObject>
/** A page, and which of its objects the run wants: missing when there was no time to look what the destination has. */
type Looked = Page & { wanted?: ListedObject[] | undefined }

/**
 * Finds what a run wants of the pages of its source: all, or what the destination does not have.
 *
 * @param list one page of a bucket; what it throws is thrown. A definite error says that it is the destination's: what it ends
 * is the listing of the source
 * @param until milliseconds since the epoch; pages whose turn comes later are not looked for
 */
export function wantedBy(
  run: Run,
  list: (request: ListRequest) => Promise<ListAnswer>,
  timing: Timing,
  until: number,
): (page: Page) => Promise<Looked> {
  const looks = new Slots(LOOKS)
  const pagesInWork = new Slots(PAGES)
  const lookThere = (request: ListRequest) =>
    looks.hold(() =>
      list(request).catch((error: unknown) => {
        throw error instanceof S3Error && !isTransient(error) ? ofDestination(error, run.destination) : error
      }),
    )
  return async (page) => {
    if (!run.options?.overwrite) return { ...page, wanted: page.objects }
    const look = () => withoutPresent(page.objects, run, lookThere)
    const wanted = await pagesInWork.hold(async () => (timing.now() < until ? await look() : undefined))
    return { ...page, wanted }
  }
}

function ofDestination({ code, message, status }: S3Error, { bucket }: Place): S3Error {
  return new S3Error(code, `the destination ${bucket} can't be listed: ${message}`, { status })
}
