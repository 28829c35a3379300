import {
  GetAccountSettingsCommand,
  InvokeCommand,
  type InvokeCommandOutput,
  type LambdaClient,
  type TooManyRequestsException,
} from '@aws-sdk/client-lambda'
import type { S3Client } from '@aws-sdk/client-s3'
import * as v from 'valibot'
import { type CheckAnswer, CheckAnswerSchema, type CheckEvent } from '../../protocol/check.ts'
import { PROTOCOL } from '../../protocol/message.ts'
import type { Place } from '../../protocol/run.ts'
import { UserError } from '../errors.ts'
import { named } from '../format.ts'
import { showPlace } from '../location.ts'
import { logLine } from '../text.ts'
import { bucketStatus } from './bucket-status.ts'
import { listConcurrency } from './parameters.ts'
import type { Tools } from './tools.ts'

/** IAM takes a few seconds, seldom up to a minute, until a changed role is known everywhere (IAM user guide, troubleshooting). */
const IAM_MS = 60_000
const AGAIN_MS = 5_000
/** S3's hosts learn of new rights one by one. A function that was refused nothing so many times in a row has them on most. */
const STEADY_CHECKS = 3
/** An instance may die through no fault of its code; the next invocation gets a new one. */
const DIED = /"errorType": *"(Runtime\.ExitError|Sandbox\.)/
const CHECK_TRIES = 3
/** A function that Lambda has no room for is asked again for so long; the SDK's own tries are over within a second or two. */
const THROTTLED_MS = 60_000

/**
 * Throws a UserError that names each bucket that does not exist. No permission is needed for that: S3 tells a bucket that
 * is closed (403) or elsewhere (301) from one that is not there (404).
 */
export async function checkBuckets(s3: S3Client, buckets: string[]): Promise<void> {
  const found = await Promise.all(buckets.map((Bucket) => bucketStatus(s3, { Bucket })))
  const missing = buckets.filter((_, index) => found[index] === 404)
  if (missing.length > 0)
    throw new UserError(
      `${missing.length === 1 ? `The bucket ${missing[0]} does not exist` : `These buckets do not exist: ${missing.join(', ')}`}. Check \`source\` and \`destination\`. Nothing was changed.`,
    )
}

/** Throws a UserError when the account can't run as many functions at once as the run would. One API call. */
export async function checkConcurrency(lambda: LambdaClient, maxConcurrency: number): Promise<void> {
  const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}))
  const room = AccountLimit?.UnreservedConcurrentExecutions ?? Number.POSITIVE_INFINITY
  const needed = maxConcurrency + listConcurrency(maxConcurrency)
  if (needed <= room) return
  let most = maxConcurrency
  while (most >= 2 && most + listConcurrency(most) > room) most--
  throw new UserError(
    most < 2
      ? `The account can run ${room} Lambda functions at once in this region, but a run needs at least 4. Request a higher quota (Lambda, concurrent executions), or reserve less of it for other functions.`
      : `max-concurrency: ${maxConcurrency} copy and ${listConcurrency(maxConcurrency)} list functions are more than the ${room} that the account can run at once in this region. Set it to ${most} or less, or request a higher quota (Lambda, concurrent executions).`,
  )
}

/**
 * Lets a function check with its own rights whether it could serve a run. One API call, when nothing is wrong.
 *
 * @param fresh whether the function's role was changed just now: problems are then looked at again for a minute, and their absence
 *   for ten seconds, since a copy that is refused meanwhile would count as failed
 * @throws UserError with all that is in the way, or when the function does not speak this action's protocol
 */
export async function checkFunction(
  lambda: LambdaClient,
  functionName: string,
  run: CheckEvent['check'],
  fresh: boolean,
  tools: Tools,
): Promise<void> {
  const { timing, log } = tools
  const startedAt = timing.now()
  let steady = 0
  for (let asked = 1; ; asked++) {
    const { protocol, problems, empty = [] } = await invokeCheck(lambda, functionName, run, tools)
    if (protocol !== PROTOCOL)
      throw new UserError(
        `The function ${functionName} speaks version ${protocol} of the protocol, but this action speaks version ${PROTOCOL}. Update the stack (\`deploy: auto\`), or use the version of the action that deployed it.`,
      )
    steady = problems.length === 0 ? steady + 1 : 0
    if (steady === (fresh ? STEADY_CHECKS : 1)) {
      if (run.prefixes && empty.length > 0) log.warning(tellEmpty(run.source, empty))
      return
    }
    if (problems.length > 0 && (!fresh || timing.now() - startedAt > IAM_MS))
      throw new UserError(
        `The function ${functionName} can’t serve this run. Nothing was sent.\n${problems.map((line) => logLine(`- ${line}`)).join('\n')}`,
      )
    if (asked === 1) log.info(logLine(tellWaiting(functionName, problems)))
    await timing.sleep(AGAIN_MS)
  }
}

function tellWaiting(functionName: string, problems: string[]): string {
  const state = problems.length > 0 ? `Not ready yet: ${problems.join('; ')}. ` : ''
  return `${state}IAM may take a minute to apply the new permissions of ${functionName}. Checking until they hold for ten seconds.`
}

/** One of several prefixes that is mistyped would show nowhere else: the others give the run its counts. */
function tellEmpty({ bucket }: Place, empty: string[]): string {
  const places = empty.map((prefix) => showPlace({ bucket, prefix }))
  return `prefixes: no object begins with ${named(places)}. Check these lines.`
}

async function invokeCheck(
  lambda: LambdaClient,
  functionName: string,
  check: CheckEvent['check'],
  tools: Tools,
): Promise<CheckAnswer> {
  let text = ''
  let failed = false
  for (let tries = 1; tries <= CHECK_TRIES; tries++) {
    const { Payload, FunctionError } = await invoke(lambda, functionName, { check }, tools)
    text = Payload ? Buffer.from(Payload).toString('utf8') : ''
    failed = FunctionError !== undefined
    if (!failed || !DIED.test(text)) break
  }
  const answer = v.safeParse(v.pipe(v.string(), v.parseJson(), CheckAnswerSchema), text)
  if (failed || !answer.success)
    throw new UserError(
      `The function ${functionName} could not check the run, so it is outdated or broken. It answered: ${logLine(text.slice(0, 500))}`,
    )
  return answer.output
}

/**
 * Invokes a function. Where Lambda has no room for it, because other functions of the account take it all, this asks again
 * for a minute, and then throws a UserError.
 */
async function invoke(
  lambda: LambdaClient,
  functionName: string,
  event: CheckEvent,
  { timing, log }: Tools,
): Promise<InvokeCommandOutput> {
  const Payload = Buffer.from(JSON.stringify(event))
  const startedAt = timing.now()
  for (;;) {
    try {
      return await lambda.send(new InvokeCommand({ FunctionName: functionName, Payload }))
    } catch (error) {
      const { name, message, Reason = name } = error as TooManyRequestsException
      if (name !== 'TooManyRequestsException') throw error
      const said = logLine(`${Reason}: ${message}`)
      if (timing.now() - startedAt >= THROTTLED_MS)
        throw new UserError(
          `Lambda had no room for the function ${functionName} for a minute (${said}). Nothing was sent. Other functions use up the account’s concurrency in this region, or too little is reserved for this function. Run the step again when they are done, request a higher quota (Lambda, concurrent executions), or reserve less of it for other functions.`,
        )
      log.info(`Lambda has no room for the function ${functionName} (${said}). Trying again.`)
      await timing.sleep(AGAIN_MS)
    }
  }
}
