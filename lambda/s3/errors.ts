import { element } from './xml.ts'

/**
 * What S3 answered instead of success, or why there is no whole answer.
 *
 * The message is S3's own where it sent one, and may hold the object's key: hostile text.
 */
export class S3Error extends Error {
  override readonly name = 'S3Error'
  /**
   * S3's error code; made from the status where S3 sends none (NotFound, Forbidden, … on HEAD). Of our own are
   * `IncompleteAnswer` (a success whose body is empty, cut off or not what was asked for) and, without an answer, the
   * codes of Node and undici (ECONNRESET, UND_ERR_SOCKET, UND_ERR_HEADERS_TIMEOUT, …).
   */
  readonly code: string
  /** HTTP status; 200 where S3 sent the error in the body of a success, 0 without an answer. */
  readonly status: number
  /** The bucket's region, where S3 tells it. */
  readonly region: string | undefined
  /** The header whose condition was not met, with PreconditionFailed, where S3 tells it. */
  readonly condition: string | undefined

  constructor(
    code: string,
    message: string,
    details: {
      status: number
      region?: string | undefined
      condition?: string | undefined
      cause?: unknown
    },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = details.status
    this.region = details.region
    this.condition = details.condition
  }
}

/** The error that a call ends with, where that is one of S3's; anything else is thrown. */
export async function failureOf(call: Promise<unknown>): Promise<S3Error | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    if (error instanceof S3Error) return error
    throw error
  }
}

/** What a call has thrown; where that is the signal's reason, an error that says that there was no time left. */
export function orUnfinished(thrown: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted || thrown !== signal.reason) return thrown
  return new S3Error('RequestTimeout', 'S3 had not finished when the function ran out of time', {
    status: 0,
  })
}

/** Where an answer comes from that {@link errorOf} and the parsers read. */
export type Answer = {
  status: number
  /** The first header of that (lower-case) name. */
  header(name: string): string | undefined
  /** All headers, in order, with lower-case names; a character of a value is a byte. */
  headers(): [name: string, value: string][]
  text: string
}

/** Codes by status, for answers without an error document (HEAD has no body, gateways send HTML). */
const BY_STATUS: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  304: 'NotModified',
  307: 'TemporaryRedirect',
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  412: 'PreconditionFailed',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
}

/** The error that an answer tells of. */
export function errorOf({ status, header, text }: Answer): S3Error {
  const code = element(text, 'Code')
  const known = code === undefined ? (BY_STATUS[status] ?? `Http${status}`) : code
  return new S3Error(known, element(text, 'Message') ?? `S3 answered with status ${status}`, {
    status,
    region: header('x-amz-bucket-region') ?? element(text, 'Region'),
    condition: element(text, 'Condition'),
  })
}

/** The error of a success that does not say what it should. */
export function incompleteAnswer({ status, text }: Answer, problem: string): S3Error {
  const what = text.trim() === '' ? 'an empty body' : `a body that can't be read: ${problem}`
  return new S3Error('IncompleteAnswer', `S3 answered with status ${status} and ${what}`, {
    status,
  })
}

/** Told to slow down. */
const THROTTLING = new Set([
  'SlowDown',
  'BandwidthLimitExceeded',
  'RequestLimitExceeded',
  'RequestThrottled',
  'Throttling',
  'TooManyRequests',
])

/** Worth another try though the status is not: S3 API reference, "Error responses". */
const PASSING = new Set([
  'RequestTimeout',
  'TemporaryRedirect',
  // The clock is corrected and credentials are read again with the next try.
  'RequestTimeTooSkewed',
  'ExpiredToken',
  'TokenRefreshRequired',
])

/** In the body of a success any error is taken for passing, but these. */
const DEFINITE = new Set([
  'AccessDenied',
  'BadDigest',
  'EntityTooSmall',
  'InvalidArgument',
  'InvalidObjectState',
  'InvalidPart',
  'InvalidPartOrder',
  'InvalidRequest',
  'NoSuchBucket',
  'NoSuchKey',
  'NoSuchUpload',
  'NoSuchVersion',
  'PreconditionFailed',
])

/** Whether S3 told to slow down. */
export function isThrottle(error: unknown): boolean {
  if (!(error instanceof S3Error)) return false
  const { code, status } = error
  return status === 503 || status === 429 || THROTTLING.has(code) || code.endsWith('ThrottlingException')
}

/**
 * Whether another try may succeed: S3 or a gateway was busy, timed out or failed within, somebody else was in the way, the
 * answer was cut off, or there was none. Not: rights, missing or archived objects, conditions, bad requests, certificates,
 * errors that are not S3's.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof S3Error)) return false
  const { code, status } = error
  if (isThrottle(error) || PASSING.has(code)) return true
  if (status === 0) return !/CERT|VERIFY|UND_ERR_INVALID|ERR_INVALID/.test(code)
  if (status === 200) return !DEFINITE.has(code)
  // A conflict (409) with what somebody else does meanwhile: its code is not always written down, as where annotations change.
  return status === 408 || status === 409 || (status >= 500 && status !== 501 && status !== 505)
}
