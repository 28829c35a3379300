/**
 * A function's process: loads the bundled handler and runs one SQS event after another, telling the parent what each cost.
 */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'

/** What one invocation cost; memory is the most that the process ever had until then. */
export type Invocation = {
  failures: number
  cpuMs: number
  wallMs: number
  rssMb: number
  /** Without what is mapped from files, such as Node.js itself. Missing where the system doesn't tell. */
  anonymousMb: number | undefined
}

/** What the process has taken until it can begin. */
export type Started = { cpuMs: number }

const TIMEOUT_MS = 300_000
/** To look costs CPU time of the function's process, so it is done now and then. */
const SAMPLE_MS = 100

let anonymousMb: number | undefined

function sample(): void {
  try {
    const [, kb] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kb !== undefined) anonymousMb = Math.max(anonymousMb ?? 0, Number(kb) / 1024)
  } catch {
    // Only Linux has it.
  }
}

const path = pathToFileURL(process.argv[2] ?? '').href
const { handler } = (await import(path)) as {
  handler: (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>
}

async function invoke(event: SQSEvent): Promise<Invocation> {
  const cpu = process.cpuUsage()
  const began = performance.now()
  const deadline = Date.now() + TIMEOUT_MS
  const context = {
    awsRequestId: 'bench',
    functionName: 'bench',
    getRemainingTimeInMillis: () => deadline - Date.now(),
  } as Context
  const { batchItemFailures } = await handler(event, context)
  const { user, system } = process.cpuUsage(cpu)
  return {
    failures: batchItemFailures.length,
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - began,
    rssMb: process.resourceUsage().maxRSS / 1024,
    anonymousMb,
  }
}

setInterval(sample, SAMPLE_MS).unref()
process.on('message', (event: SQSEvent) => void invoke(event).then((cost) => process.send?.(cost)))
process.on('disconnect', () => process.exit())
const { user, system } = process.cpuUsage()
process.send?.({ cpuMs: (user + system) / 1000 } satisfies Started)
