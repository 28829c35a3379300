import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ApiCalls, countCalls } from './api-calls.ts'
import type { Clients } from './clients.ts'
import { formatDuration } from './format.ts'
import type { Inputs } from './inputs.ts'
import { checkFunction, ensureStack, type StackOutputs } from './stack/index.ts'
import type { Tools } from './stack/tools.ts'

const DONE = { created: 'Created', updated: 'Updated', reused: 'Reused' }

/**
 * Brings the stack into the state that the run needs, and lets its list function check with its own rights that the run
 * can be done. Throws a UserError for whatever a person has to mend; nothing was sent then.
 */
export async function prepareStack(clients: Clients, inputs: Inputs, tools: Tools): Promise<StackOutputs> {
  const { source, destination } = inputs
  const startedAt = tools.timing.now()
  const calls = countCalls(clients)
  const root = actionRoot()
  const { outputs, how } = await ensureStack(
    clients,
    {
      ...inputs,
      sourceBucket: source.bucket,
      destinationBucket: destination.bucket,
      templatePath: join(root, 'template.yaml'),
      codePath: join(root, 'dist', 'functions.zip'),
    },
    tools,
  )
  await checkFunction(
    clients.lambda,
    outputs.listFunctionName,
    { source, destination },
    how !== 'reused',
    tools,
  )
  tools.log.info(`${DONE[how]} in ${formatDuration(tools.timing.now() - startedAt)}, ${tell(calls)}`)
  return outputs
}

function tell(calls: ApiCalls): string {
  const count = calls.count
  return `${count} API call${count === 1 ? '' : 's'}`
}

/** The folder with action.yml: above this file, whether it runs from the sources or from the bundle. */
function actionRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'action.yml')) && folder !== dirname(folder)) folder = dirname(folder)
  return folder
}
