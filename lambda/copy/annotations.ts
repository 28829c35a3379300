import {
  GET_OBJECT_ANNOTATION,
  LIST_OBJECT_ANNOTATIONS,
  PUT_OBJECT_ANNOTATION,
  S3Error,
} from '../s3/index.ts'
import { destinationGuards, sourceGuards } from './headers.ts'
import type { CopyJob } from './job.ts'

/**
 * Copies an object's annotations (up to 1,000, of up to 1 MiB each), one after the other.
 * @param progress up to which name they are done: in an order of our own, for S3 promises none
 * @throws S3Error, OutOfTime, Refused
 */
export async function copyAnnotations(
  { run, object, key, s3, caller, memory }: CopyJob,
  progress: { upTo: string },
): Promise<void> {
  const options = run.options ?? {}
  const source = { bucket: run.source.bucket, key: object.key, ...sourceGuards(options) }
  const target = { bucket: run.destination.bucket, key, ...destinationGuards(options) }
  const names: string[] = []
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const request = { ...source, token }
    const page = await caller.call(({ signal }) =>
      s3.perform(LIST_OBJECT_ANNOTATIONS, { ...request, signal }),
    )
    names.push(...page.names)
    token = page.next
  }
  for (const name of names.filter((it) => it > progress.upTo).sort()) {
    await memory.annotating.hold(async () => {
      const text = await caller
        .call(({ signal }) => s3.perform(GET_OBJECT_ANNOTATION, { ...source, name, signal }))
        .catch(undefinedIfRemoved)
      if (text !== undefined)
        await caller.call(({ signal }) =>
          s3.perform(PUT_OBJECT_ANNOTATION, { ...target, name, text, signal }),
        )
    })
    progress.upTo = name
  }
}

/** Somebody may remove an annotation after it was listed, like an object. */
function undefinedIfRemoved(error: unknown): undefined {
  if (!(error instanceof S3Error) || error.code !== 'NoSuchAnnotation') throw error
}
