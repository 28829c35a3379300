/**
 * Runs the embedded AWS on a fixed port, with the stack of template.yaml and what events/ speaks of in it, until it is
 * interrupted.
 *
 *     npm run local [-- --port PORT --host ADDRESS]
 */
import { once } from 'node:events'
import { join } from 'node:path'
import { readArguments } from './arguments.ts'
import { prepareEvents } from './events.ts'
import { startAws } from './index.ts'

const STACK = 's3-71'

const { values } = readArguments({
  options: { port: { type: 'string', default: '4571' }, host: { type: 'string', default: '127.0.0.1' } },
})

const aws = await startAws({ port: Number(values.port), host: values.host })
try {
  const outputs = await aws.deploy({
    stackName: STACK,
    template: join(import.meta.dirname, '..', 'template.yaml'),
    // Nobody checks permissions here, so these name no real buckets.
    parameters: {
      SourceBucketArns: 'arn:aws:s3:::source',
      DestinationBucketArns: 'arn:aws:s3:::destination',
    },
  })
  await prepareEvents(aws)
  for (const [name, value] of Object.entries(aws.env)) console.log(`export ${name}=${value}`)
  console.log(`# stack ${STACK}`)
  for (const [name, value] of Object.entries(outputs)) console.log(`# ${name}: ${value}`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
} finally {
  await aws.stop()
}
