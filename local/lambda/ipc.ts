/** The pipe on which an instance that stands still waits for a byte before the next invocation comes over IPC. */
export const WAKE_FD = 4

/** Has an instance use up its memory, once it has loaded its handler; a test's way to break it. */
export const EXHAUST = 'exhaust'

/** To an instance: one invocation. */
export type Invocation = {
  requestId: string
  functionArn: string
  /** JSON. */
  event: string
  /** Trace header, which the AWS SDKs in the function hand on. */
  trace: string
  /** Milliseconds since the epoch at which the instance will be killed. */
  deadline: number
}

export type FunctionError = { errorType?: string; errorMessage: string; trace?: string[] }

/** From an instance; `memoryUsed` is the highest resident size so far in MB. */
export type InstanceMessage =
  | { type: 'ready' }
  | { type: 'init-error'; error: FunctionError }
  | { type: 'answer'; payload: string; memoryUsed: number }
  | { type: 'error'; error: FunctionError; memoryUsed: number }
