import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Timing } from '../protocol/timing.ts'
import { pauseWhile } from './pause.ts'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000

type PatienceOptions = {
  timing: Timing
  /** Whether there is still something to wait for. */
  worthwhile: () => boolean
  /** Told of each failure, in the same words for the same error. */
  onWarning: (message: string) => void
}

/**
 * An SQS client that outlasts an outage: a call that the SDK has given up on for a passing reason is made again, with
 * back-off from 1 s to 30 s, for as long as that is worthwhile. What will not pass is thrown at once.
 */
export class Patience {
  readonly sqs: SQSClient
  /** When a call last succeeded that had failed; milliseconds since the epoch, 0 for never. */
  backAt = 0
  readonly #options: PatienceOptions

  constructor(sqs: SQSClient, options: PatienceOptions) {
    this.#options = options
    const send = (...call: Parameters<SQSClient['send']>) => this.#insist(async () => await sqs.send(...call))
    this.sqs = Object.create(sqs, { send: { value: send } }) as SQSClient
  }

  async #insist<T>(call: () => Promise<T>): Promise<T> {
    const { timing, worthwhile, onWarning } = this.#options
    for (let tries = 1; ; tries++) {
      try {
        const answer = await call()
        if (tries > 1) this.backAt = timing.now()
        return answer
      } catch (error) {
        if (!isPassing(error) || !worthwhile()) throw error
        onWarning(
          `SQS is failing (${nameOf(error)}). The run goes on, and this step continues once SQS answers again.`,
        )
        await this.#pause(tries)
        if (!worthwhile()) throw error
      }
    }
  }

  /** Half of the time is chance, so that calls that failed together don't come back together. */
  async #pause(tries: number): Promise<void> {
    const { timing, worthwhile } = this.#options
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1))
    await pauseWhile(worthwhile, longest * (0.5 + timing.random() / 2), timing)
  }
}

/** What the SDK says of an error beside its name and message. */
type SdkError = Error & {
  code?: string
  $metadata?: { httpStatusCode?: number }
  $response?: { statusCode?: number }
}

const THROTTLED =
  /^(RequestThrottled|Throttling|ThrottlingException|ThrottledException|TooManyRequestsException)$/
/** Node's names for a network that fails for now (Node.js, common system errors; libuv for names that don't resolve). */
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT)$/

/**
 * Whether an AWS call may succeed later though nobody mends anything: server errors (5xx), throttling, the network. A
 * missing permission or an expired token is none of these.
 */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { name, code = '', $metadata, $response } = error as SdkError
  const status = $metadata?.httpStatusCode ?? $response?.statusCode ?? 0
  return (
    status >= 500 ||
    status === 429 ||
    THROTTLED.test(name) ||
    name === 'TimeoutError' ||
    UNREACHABLE.test(code)
  )
}

function nameOf(error: unknown): string {
  const { name, code } = error as SdkError
  return name === 'Error' && code ? code : name
}
