/**
 * Chaos: runs the built action on the embedded AWS again and again, under faults that a seed decides, and checks each
 * time that the counts are exact and that the destination is what they say.
 *
 *     npm run chaos -- [--seed N] [--minutes M] [--round R] [--fault NAME] [--objects N]
 *
 * `--round` plays one round of the seed only, `--fault` one fault alone. Each decision on a request depends on the seed,
 * the request and how often it came; when an instance is hit depends on the clock as well, so repeat a round
 * a few times to see a violation again.
 */
import { readArguments, refuse } from '../arguments.ts'
import { startHarness } from './harness.ts'
import type { Verdict } from './round.ts'
import { ROUNDS_ALONE, type Scenario, scenario, scenarioNamed } from './scenarios.ts'

const { values } = readArguments({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    round: { type: 'string' },
    fault: { type: 'string' },
    objects: { type: 'string', default: '2000' },
  },
})
const seed = Number(values.seed)
const objects = Number(values.objects)
const until = Date.now() + Number(values.minutes) * 60_000
const only = values.round === undefined ? undefined : Number(values.round)
const fault = values.fault === undefined ? undefined : scenarioNamed(values.fault)
if (values.fault !== undefined && !fault)
  refuse(`There is no fault ${values.fault}. docs/development.md says what there is.`)

type Played = { number: number; scenario: Scenario; verdict: Verdict }
const played: Played[] = []
const harness = await startHarness()
try {
  let number = only ?? 0
  do {
    const current = fault ?? scenario(seed, number)
    const verdict = await harness.play({ seed, number, scenario: current, objects })
    played.push({ number, scenario: current, verdict })
    const { outputs, seconds, problems } = verdict
    const hits = [...verdict.faults].map(([name, count]) => `${name} ${count}`).join(', ')
    console.log(
      `round ${number} ${current.name}: ${problems.length === 0 ? 'ok' : 'VIOLATED'} in ${seconds} s; listed ${outputs.listed}, copied ${outputs.copied}, failed ${outputs.failed}, dead ${outputs['dlq-objects']}; ${hits || 'no faults'}`,
    )
    for (const problem of problems) console.log(`  ${problem}`)
    number++
  } while (only === undefined && Date.now() < until)
} finally {
  await harness.stop()
}

console.table(
  played.map(({ number, scenario: { name }, verdict: { outputs, seconds, problems } }) => ({
    round: number,
    faults: name,
    seconds,
    listed: outputs.listed,
    copied: outputs.copied,
    failed: outputs.failed,
    dead: outputs['dlq-objects'],
    verdict: problems.length === 0 ? 'ok' : problems.join('; '),
  })),
)
if (only === undefined && !fault && played.length < ROUNDS_ALONE)
  console.log(`${played.length} of the ${ROUNDS_ALONE} rounds with each fault alone; more minutes play more.`)
const broken = played.filter(({ verdict }) => verdict.problems.length > 0)
for (const { number } of broken)
  console.log(
    `Again: npm run chaos -- --seed ${seed} --round ${number} --objects ${objects}${fault ? ` --fault ${fault.name}` : ''}`,
  )
process.exitCode = broken.length === 0 ? 0 : 1
