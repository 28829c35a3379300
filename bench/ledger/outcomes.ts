import { SEED_FAMILY, taskId } from '../../protocol/ids.ts'
import type { Settlement } from '../../src/ledger.ts'
import type { Totals } from '../../src/totals.ts'
import { seededRandom } from '../simulation/virtual-time.ts'

/** Copy tasks that one list task spawns: about what a list function lists in its 20 s. */
const COPIES_OF_A_LIST = 1_000
const LISTS_OF_A_LIST = 2
const OBJECTS = 250
const OBJECT_BYTES = 100_000
/** Outcomes on their way at once: any of them may be delivered next. */
const ON_THE_WAY = 5_000
/** Shares of copy tasks that hand on what S3 refused, of outcomes that come twice, of list attempts that died unheard. */
const HANDED_ON = 0.02
const TWICE = 0.02
const DIED = 0.01

/** What has to come out for the outcomes that were given. */
export type Expected = Pick<Totals, 'listed' | 'copied' | 'bytes'> & { tasks: number }

/**
 * The outcomes of a run of about so many tasks, in an order that SQS could deliver them in: at random among those on their
 * way, some twice, most of a list task's copies before the list task itself, some of attempts that never counted.
 */
export function* outcomesOf(tasks: number, expected: Expected): Generator<Settlement> {
  const random = seededRandom(1)
  let attempts = 0
  const newAttempt = () => (attempts++).toString(36).padStart(16, '0')
  const onTheWay: Settlement[] = []
  /** List tasks that nobody has worked on. */
  const lists = [taskId(SEED_FAMILY, 0)]
  expected.tasks = 1

  const copyTask = (task: string, counts: boolean) => {
    const handsOn = random() < HANDED_ON
    const attempt = newAttempt()
    onTheWay.push(copied(task, handsOn ? OBJECTS - 1 : OBJECTS, attempt, handsOn ? 1 : 0))
    if (handsOn) onTheWay.push(copied(taskId(attempt, 0), 1, newAttempt(), 0))
    if (!counts) return
    expected.tasks += handsOn ? 2 : 1
    expected.copied += OBJECTS
    expected.bytes += OBJECTS * OBJECT_BYTES
  }
  const listTask = (task: string, died: boolean) => {
    const attempt = newAttempt()
    let children = 0
    while (children < COPIES_OF_A_LIST) copyTask(taskId(attempt, children++), !died)
    if (died) return
    const listed = children * OBJECTS
    for (let i = 0; i < LISTS_OF_A_LIST; i++) {
      if (expected.tasks + lists.length * COPIES_OF_A_LIST >= tasks) break
      lists.push(taskId(attempt, children++))
      expected.tasks++
    }
    expected.listed += listed
    const totals = { listed, copied: 0, skipped: 0, failed: 0, bytes: 0 }
    onTheWay.push({ task, totals, spawned: { attempt, children } })
  }

  for (;;) {
    while (onTheWay.length < ON_THE_WAY) {
      const list = lists.shift()
      if (list === undefined) break
      if (random() < DIED) listTask(list, true)
      listTask(list, false)
    }
    const last = onTheWay.pop()
    if (last === undefined) return
    const at = Math.floor(random() * (onTheWay.length + 1))
    const next = onTheWay[at] ?? last
    if (at < onTheWay.length) onTheWay[at] = last
    yield next
    if (random() < TWICE) yield next
  }
}

function copied(task: string, objects: number, attempt: string, children: number): Settlement {
  const totals = { listed: 0, copied: objects, skipped: 0, failed: 0, bytes: objects * OBJECT_BYTES }
  return { task, totals, spawned: { attempt, children } }
}
