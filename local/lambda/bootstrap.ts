/**
 * Runs in the child process of one function instance: loads the handler and serves invocations, one at a time, that
 * come over IPC. It stands in for Lambda's Node.js runtime.
 */
import { existsSync, readSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Context } from 'aws-lambda'
import { EXHAUST, type InstanceMessage, type Invocation, WAKE_FD } from './ipc.ts'

type Handler = (event: unknown, context: Partial<Context>) => Promise<unknown>

const {
  _HANDLER: handlerName = '',
  LAMBDA_TASK_ROOT: root = '',
  AWS_LAMBDA_FUNCTION_NAME: functionName = '',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memoryLimitInMB = '',
  AWS_LAMBDA_LOG_GROUP_NAME: logGroupName = '',
  AWS_LAMBDA_LOG_STREAM_NAME: logStreamName = '',
} = process.env

async function tell(message: InstanceMessage): Promise<void> {
  await new Promise((resolve) => process.send?.(message, resolve))
}

/**
 * Stands still until the next invocation, as Lambda lets an idle environment do: no timer runs out and no socket is
 * read. The read blocks the whole process, and ends with nothing when the parent is gone.
 */
function freeze(): void {
  if (readSync(WAKE_FD, new Uint8Array(1)) === 0) process.exit()
}

function describe(error: unknown): { errorType: string; errorMessage: string; trace?: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) }
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: (error.stack ?? '').split('\n'),
  }
}

function initError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}

/** `list/index.handler` is the export `handler` of list/index.js, .mjs or .cjs, tried in this order. */
async function load(): Promise<Handler> {
  const file = basename(handlerName)
  const dot = file.indexOf('.')
  const path = join(root, dirname(handlerName), file.slice(0, dot))
  const found = ['.js', '.mjs', '.cjs'].map((extension) => path + extension).find((name) => existsSync(name))
  if (!found) throw initError('Runtime.ImportModuleError', `Cannot find module '${file.slice(0, dot)}'`)
  const module = (await import(pathToFileURL(found).href)) as Record<string, unknown>
  const exported = file.slice(dot + 1)
  const handler = module[exported] ?? (module.default as Record<string, unknown> | undefined)?.[exported]
  if (typeof handler !== 'function')
    throw initError('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`)
  // nodejs24.x takes no callbacks, and refuses a handler that declares one even if it is async.
  if (handler.length > 2)
    throw initError('Runtime.CallbackHandlerDeprecated', `${handlerName} declares a callback`)
  return handler as Handler
}

async function serve(
  handler: Handler,
  { requestId, functionArn, event, trace, deadline }: Invocation,
): Promise<void> {
  const context: Partial<Context> = {
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB,
    awsRequestId: requestId,
    logGroupName,
    logStreamName,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  }
  const memoryUsed = () => Math.ceil(process.resourceUsage().maxRSS / 1024)
  process.env._X_AMZN_TRACE_ID = trace
  let message: InstanceMessage
  try {
    const result = await handler(JSON.parse(event), context)
    message = { type: 'answer', payload: JSON.stringify(result ?? null), memoryUsed: memoryUsed() }
  } catch (error) {
    message = { type: 'error', error: describe(error), memoryUsed: memoryUsed() }
  }
  await tell(message)
  freeze()
}

/** Fills the heap until V8 gives up, as it does for a handler that keeps too much. */
function exhaust(): never {
  const kept: unknown[] = []
  for (;;) kept.push(new Array(10_000).fill({}))
}

// The parent is gone: nobody will invoke this instance again.
process.on('disconnect', () => process.exit())

try {
  const handler = await load()
  process.on('message', (message: Invocation | typeof EXHAUST) =>
    message === EXHAUST ? exhaust() : void serve(handler, message),
  )
  await tell({ type: 'ready' })
} catch (error) {
  console.error(error)
  await tell({ type: 'init-error', error: describe(error) })
}
