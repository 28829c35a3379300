import { type Handler, readText } from '../http.ts'
import type { FunctionRevision, FunctionSettings } from './function.ts'
import { type Lambda, LambdaError } from './index.ts'
import type { Mapping } from './mapping.ts'

type Answer = { status: number; body?: unknown; text?: string; headers?: Record<string, string> }
type Call = { params: string[]; query: URLSearchParams; body: string; headers: Record<string, unknown> }
type Route = [method: string, path: RegExp, answer: (lambda: Lambda, call: Call) => Answer | Promise<Answer>]

const ok = (body: unknown): Answer => ({ status: 200, body })

/** The calls of Lambda's REST API that the embedded one takes. */
const ROUTES: Route[] = [
  ['POST', /^\/2015-03-31\/functions\/([^/]+)\/invocations$/, invoke],
  [
    'GET',
    /^\/2015-03-31\/functions\/([^/]+)$/,
    (lambda, { params: [name = ''] }) =>
      ok({ Configuration: describeFunction(lambda.get(name)), Code: { RepositoryType: 'S3' } }),
  ],
  [
    'GET',
    /^\/2015-03-31\/functions\/([^/]+)\/configuration$/,
    (lambda, { params: [name = ''] }) => ok(describeFunction(lambda.get(name))),
  ],
  ['GET', /^\/2015-03-31\/event-source-mappings$/, listMappings],
  [
    'GET',
    /^\/2015-03-31\/event-source-mappings\/([^/]+)$/,
    (lambda, { params: [id = ''] }) => ok(describeMapping(lambda, lambda.mapping(id))),
  ],
  ['PUT', /^\/2015-03-31\/event-source-mappings\/([^/]+)$/, updateMapping],
  ['GET', /^\/2016-08-19\/account-settings$/, accountSettings],
]

/** Serves Lambda's REST API; errors come as Lambda gives them. */
export function createLambdaApi(lambda: Lambda): Handler {
  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://lambda')
    const answer = await answerTo(request.method ?? '', url, lambda, {
      query: url.searchParams,
      body: await readText(request),
      headers: request.headers,
    })
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(answer.text ?? (answer.body === undefined ? '' : JSON.stringify(answer.body)))
  }
}

async function answerTo(
  method: string,
  { pathname }: URL,
  lambda: Lambda,
  call: Omit<Call, 'params'>,
): Promise<Answer> {
  for (const [routeMethod, path, answer] of ROUTES) {
    const match = method === routeMethod && path.exec(pathname.replace(/\/$/, ''))
    if (!match) continue
    try {
      return await answer(lambda, { ...call, params: match.slice(1).map(decodeURIComponent) })
    } catch (error) {
      if (!(error instanceof LambdaError)) throw error
      return {
        status: error.status,
        headers: { 'x-amzn-errortype': error.name },
        body: { Type: 'User', Message: error.message, message: error.message },
      }
    }
  }
  return { status: 501, text: `the embedded Lambda does not take ${method} ${pathname}` }
}

async function invoke(lambda: Lambda, { params: [name = ''], body, headers }: Call): Promise<Answer> {
  const type = headers['x-amz-invocation-type'] ?? 'RequestResponse'
  lambda.get(name)
  if (type === 'DryRun') return { status: 204 }
  const event = body || '{}'
  try {
    JSON.parse(event)
  } catch (error) {
    throw new LambdaError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${(error as Error).message}`,
    )
  }
  if (type === 'Event') {
    void lambda.invoke(name, event).catch(() => {})
    return { status: 202 }
  }
  const outcome = await lambda.invoke(name, event)
  return {
    status: 200,
    headers: {
      'x-amz-executed-version': '$LATEST',
      ...('error' in outcome && { 'x-amz-function-error': 'Unhandled' }),
      ...(headers['x-amz-log-type'] === 'Tail' && {
        'x-amz-log-result': Buffer.from(lambda.logs(name).slice(-20).join('\n').slice(-4096)).toString(
          'base64',
        ),
      }),
    },
    text: 'error' in outcome ? JSON.stringify(outcome.error) : outcome.payload,
  }
}

function listMappings(lambda: Lambda, { query }: Call): Answer {
  const name = query.get('FunctionName')
  const functionName = name === null ? undefined : lambda.get(name).name
  const queueArn = query.get('EventSourceArn') ?? undefined
  const found = [...lambda.mappings.values()].filter(
    ({ settings }) =>
      (functionName === undefined || settings.functionName === functionName) &&
      (queueArn === undefined || settings.queueArn === queueArn),
  )
  return ok({ EventSourceMappings: found.map((mapping) => describeMapping(lambda, mapping)) })
}

function updateMapping(lambda: Lambda, { params: [id = ''], body }: Call): Answer {
  const mapping = lambda.mapping(id)
  const { Enabled, BatchSize, ScalingConfig } = JSON.parse(body) as {
    Enabled?: boolean
    BatchSize?: number
    ScalingConfig?: { MaximumConcurrency?: number }
  }
  mapping.update({
    ...(Enabled !== undefined && { enabled: Enabled }),
    ...(BatchSize !== undefined && { batchSize: BatchSize }),
    ...(ScalingConfig && { maximumConcurrency: ScalingConfig.MaximumConcurrency }),
  })
  return { status: 202, body: describeMapping(lambda, mapping) }
}

function accountSettings(lambda: Lambda): Answer {
  return ok({
    AccountLimit: {
      TotalCodeSize: 80_530_636_800,
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: lambda.slots.limit,
      UnreservedConcurrentExecutions: lambda.slots.limit,
    },
    AccountUsage: {
      TotalCodeSize: lambda.functions.reduce((sum, { codeSize }) => sum + codeSize, 0),
      FunctionCount: lambda.functions.length,
    },
  })
}

function describeFunction(revision: FunctionRevision): Record<string, unknown> {
  const { name, arn, runtime, role, handler, codeSize, codeSha256, timeout, memorySize, environment } =
    revision
  return {
    FunctionName: name,
    FunctionArn: arn,
    Runtime: runtime,
    Role: role,
    Handler: handler,
    CodeSize: codeSize,
    CodeSha256: codeSha256,
    Timeout: timeout,
    MemorySize: memorySize,
    Environment: { Variables: environment } satisfies { Variables: FunctionSettings['environment'] },
    LastModified: revision.lastModified.toISOString(),
    Version: '$LATEST',
    PackageType: 'Zip',
    State: 'Active',
    LastUpdateStatus: 'Successful',
  }
}

function describeMapping(
  lambda: Lambda,
  { id, state, settings, lastModified }: Mapping,
): Record<string, unknown> {
  return {
    UUID: id,
    State: state,
    StateTransitionReason: 'USER_INITIATED',
    EventSourceArn: settings.queueArn,
    FunctionArn: lambda.get(settings.functionName).arn,
    BatchSize: settings.batchSize,
    MaximumBatchingWindowInSeconds: 0,
    ...(settings.maximumConcurrency !== undefined && {
      ScalingConfig: { MaximumConcurrency: settings.maximumConcurrency },
    }),
    FunctionResponseTypes: settings.reportBatchItemFailures ? ['ReportBatchItemFailures'] : [],
    LastModified: lastModified.getTime() / 1000,
  }
}
