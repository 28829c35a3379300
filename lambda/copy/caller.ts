import type { Failure } from '../../protocol/outcome.ts'
import { backoffMs, type Timing } from '../../protocol/timing.ts'
import { isThrottle, isTransient, orUnfinished, S3Error } from '../s3/index.ts'
import type { Pace } from './pace.ts'

/** Tries for one request in one task, unless S3 says slow down, before its object is handed on to a later task. */
const TRIES = 8
/** For how long a task puts up with S3 saying slow down before it hands on what is left: no task takes much longer than a minute. */
const PATIENCE_MS = 45_000
/** A request that is told to slow down for the first time after that is still tried again for so long: S3 refuses a few requests all the time. */
const LEAST_PATIENCE_MS = 10_000
/** The pace already answers a slow down, so that the wait before the next try need not grow far: to 1.6 s. */
const THROTTLE_STEPS = 4
/** The slowest that S3 is expected to copy, 20 MB a second: a copy that could not end in time at this speed is not begun. */
const SLOWEST_BYTES_PER_MS = 20_000
/** S3 may be silent until a copy is done. A large one may take so long in addition to the time of the slowest copy. */
const SILENCE_MS = 60_000
const LARGE_BYTES = 64 * 1024 ** 2
const TIDY_TRIES = 4
/** A worker's deadline leaves it ten seconds, of which the last three are for its outcome. */
const TIDY_RESERVE_MS = 7_000
const [SHORTEST_TIDY_MS, LONGEST_TIDY_MS] = [1_000, 15_000]
/** Characters of an error message that are worth carrying: who lacks which right on what, and by which policy, takes some 300. */
const MESSAGE_CHARS = 500
const CODE_CHARS = 60

export type CallerDeps = {
  pace: Pace
  timing: Timing
  /** Milliseconds since the epoch; nothing is begun after it. */
  deadline: number
  /** Ends what is under way when the function's time is up. */
  signal: AbortSignal
}

/** There was no time left to begin. */
export class OutOfTime extends Error {}

/** An upload has more parts than before, but not all, or they are not joined. */
export class GotFurther extends OutOfTime {}

/** S3 refused for the time being, again and again; the cause is its last refusal. */
export class Refused extends Error {
  readonly last: S3Error
  constructor(last: S3Error) {
    super(last.message)
    this.last = last
  }
}

/** What each try of a call is told. */
export type Try = { signal: AbortSignal; silenceMs?: number }

/** Makes the requests of one task: at the worker's pace, and again while S3 refuses them for the time being. */
export class Caller {
  readonly #deps: CallerDeps
  readonly #patientUntil: number
  /** Half of the task's time. */
  readonly halfMs: number

  constructor(deps: CallerDeps) {
    const now = deps.timing.now()
    this.#deps = deps
    this.#patientUntil = now + PATIENCE_MS
    this.halfMs = (deps.deadline - now) / 2
  }

  /**
   * @param bytes how many S3 has to copy for it
   * @param neededMs it is not begun when there is less time left
   * @throws S3Error what S3 answers for good, OutOfTime, Refused
   */
  async call<T>(
    request: (how: Try) => Promise<T>,
    bytes = 0,
    neededMs = bytes / SLOWEST_BYTES_PER_MS,
  ): Promise<T> {
    const { pace, timing, deadline, signal } = this.#deps
    const how: Try = bytes > LARGE_BYTES ? { signal, silenceMs: SILENCE_MS + neededMs } : { signal }
    let begunAt: number | undefined
    /** The last refusal, once tries have taken up much of the task's time: in the next task they would, too. */
    let slow: S3Error | undefined
    const outOfTime = () => (slow ? new Refused(slow) : new OutOfTime())
    const begin = () => {
      const now = timing.now()
      if (now + neededMs >= deadline) throw outOfTime()
      begunAt ??= now
      return request(how)
    }
    for (let tries = 1; ; tries++) {
      try {
        const answer = await pace.run(begin, deadline)
        pace.answered(false)
        return answer
      } catch (thrown) {
        const error = orUnfinished(thrown, signal)
        if (!(error instanceof S3Error)) throw error
        const throttled = isThrottle(error)
        pace.answered(throttled)
        if (!isTransient(error)) throw error
        const patientUntil = Math.max(this.#patientUntil, (begunAt ?? 0) + LEAST_PATIENCE_MS)
        if (signal.aborted || (throttled ? timing.now() >= patientUntil : tries >= TRIES))
          throw new Refused(error)
        const pause = backoffMs(throttled ? Math.min(tries, THROTTLE_STEPS) : tries, timing.random)
        if (begunAt !== undefined && timing.now() - begunAt >= PATIENCE_MS) slow = error
        if (timing.now() + pause >= deadline) throw outOfTime()
        await timing.sleep(pause)
      }
    }
  }

  /**
   * Makes a request that leaves nothing behind, whatever the pace, and also when the task's time is up: a few tries in a few
   * seconds, and never mind.
   */
  async tidy(request: (how: Try) => Promise<unknown>): Promise<void> {
    const { timing, deadline } = this.#deps
    const leftMs = deadline + TIDY_RESERVE_MS - timing.now()
    const signal = AbortSignal.timeout(Math.max(SHORTEST_TIDY_MS, Math.min(LONGEST_TIDY_MS, leftMs)))
    for (let tries = 1; !signal.aborted; tries++) {
      try {
        await request({ signal })
        return
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof S3Error)) throw error
        if (!isTransient(error) || tries === TIDY_TRIES) return
        await timing.sleep(backoffMs(tries, timing.random))
      }
    }
  }
}

/** An S3 error as the report has it; other than ASCII would weigh six times as much in a message. */
export function toFailure(key: string, { code, message }: S3Error): Failure {
  return {
    key,
    code: code.slice(0, CODE_CHARS),
    message: message.slice(0, MESSAGE_CHARS).replace(/[^\x20-\x7e]/g, '?'),
  }
}
