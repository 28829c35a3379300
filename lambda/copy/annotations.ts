import {
  GET_OBJECT_ANNOTATION,
  LIST_OBJECT_ANNOTATIONS,
  PUT_OBJECT_ANNOTATION,
  S3Error,
} from '../s3/index.ts'
import { type CopyJob, perform, sourceOf, targetOf } from './job.ts'

/**
 * Copies an object's annotations (up to 1,000, of up to 1 MiB each), one after the other.
 * @param progress up to which name they are done: in an order of our own, for S3 promises none
 * @throws S3Error, OutOfTime, Refused
 */
export async function copyAnnotations(job: CopyJob, progress: { upTo: string }): Promise<void> {
  const [source, target] = [sourceOf(job), targetOf(job)]
  const names: string[] = []
  for (let token: string | undefined, more = true; more; more = token !== undefined) {
    const page: { names: string[]; next: string | undefined } = await perform(job, LIST_OBJECT_ANNOTATIONS, {
      ...source,
      token,
    })
    names.push(...page.names)
    token = page.next
  }
  for (const name of names.filter((it) => it > progress.upTo).sort()) {
    await job.memory.annotating.hold(async () => {
      const text = await perform(job, GET_OBJECT_ANNOTATION, { ...source, name }).catch(undefinedIfRemoved)
      if (text !== undefined) await perform(job, PUT_OBJECT_ANNOTATION, { ...target, name, text })
    })
    progress.upTo = name
  }
}

/** Somebody may remove an annotation after it was listed, like an object. */
function undefinedIfRemoved(error: unknown): undefined {
  if (!(error instanceof S3Error) || error.code !== 'NoSuchAnnotation') throw error
}
