import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHECKED_PREFIXES } from '../protocol/check.ts'
import { countCalls } from './api-calls.ts'
import type { Clients } from './clients.ts'
import { explain, UserError } from './errors.ts'
import { counted, formatDuration } from './format.ts'
import type { Inputs } from './inputs.ts'
import { afterRun, checkFunction, type EnsuredStack, ensureStack } from './stack/index.ts'
import type { Tools } from './stack/tools.ts'
import { clearDeploying, saveDeploying } from './state.ts'

const DONE = { created: 'Created', updated: 'Updated', reused: 'Reused' }

/**
 * Brings the stack into the state that the run needs, and lets its functions check with their own rights that the
 * run can be done. Throws a UserError for whatever a person has to mend; nothing was sent then, and a stack that was
 * deployed here is left as after a run that failed.
 */
export async function prepareStack(clients: Clients, inputs: Inputs, tools: Tools): Promise<EnsuredStack> {
  const { source, destination, prefixes } = inputs
  const startedAt = tools.timing.now()
  const calls = countCalls(clients)
  const root = actionRoot()
  const stack = await ensureStack(
    clients,
    {
      ...inputs,
      tags: inputs.stackTags,
      s3Endpoint: process.env.AWS_ENDPOINT_URL_S3,
      allowAcls: inputs.options.acl !== undefined,
      allowAnnotations: inputs.options.annotations !== undefined,
      sourceBucket: source.bucket,
      destinationBucket: destination.bucket,
      templatePath: join(root, 'template.yaml'),
      codePath: join(root, 'dist', 'functions.zip'),
      onChange: () => {
        if (inputs.afterRun !== 'keep') saveDeploying(inputs)
      },
    },
    tools,
  )
  const { outputs, how } = stack
  const run = {
    source,
    destination,
    options: inputs.options,
    ...(prefixes.length > 0 && {
      prefixes: prefixes.slice(0, CHECKED_PREFIXES).map((prefix) => source.prefix + prefix),
    }),
  }
  const functions = [outputs.listFunctionName, outputs.copyFunctionName]
  try {
    const checks = await Promise.allSettled(
      functions.map((name) => checkFunction(clients.lambda, name, run, isDeployed(stack), tools)),
    )
    const errors = checks
      .filter((check) => check.status === 'rejected')
      .map(({ reason }) => reason as unknown)
    if (errors.length > 1) throw new UserError(errors.map(explain).join('\n'))
    if (errors.length > 0) throw errors[0]
  } catch (error) {
    await leaveUnused(clients, inputs, stack, tools)
    throw error
  }
  const duration = formatDuration(tools.timing.now() - startedAt)
  tools.log.info(`${DONE[how]} in ${duration}, ${counted(calls.count, 'API call')}`)
  return stack
}

/**
 * Does what `after-run` says with a stack that was deployed for a run that does not begin: it polls its queues from its deployment
 * on, and no run will come to pause it. What goes wrong is a warning: it must not hide why there is no run.
 */
export async function leaveUnused(
  clients: Clients,
  { stackName, afterRun: what }: Inputs,
  stack: EnsuredStack,
  tools: Tools,
): Promise<void> {
  if (!isDeployed(stack)) return
  try {
    await afterRun(what, { status: 'failed' }, clients, { name: stackName, outputs: stack.outputs }, tools)
    clearDeploying()
  } catch (error) {
    tools.log.warning(
      `The stack ${stackName} could not be paused. It may poll its queues until a later run pauses it. ${explain(error)}`,
    )
  }
}

/** Whether this step has deployed it. */
function isDeployed({ how }: EnsuredStack): boolean {
  return how !== 'reused'
}

/** The folder with action.yml: above this file, whether it runs from the sources or from the bundle. */
function actionRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'action.yml')) && folder !== dirname(folder)) folder = dirname(folder)
  return folder
}
