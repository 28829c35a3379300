import { expect, test } from '@jest/globals'
import { VirtualTime } from '../../../bench/simulation/virtual-time.ts'
import { Demand } from '../../../lambda/list/demand.ts'

/** Asks twice a second for so many seconds, when so many tasks wait in each. */
async function ask(seconds: number, waiting: (second: number) => number | undefined) {
  const time = new VirtualTime()
  let looks = 0
  const demand = new Demand(time, async () => {
    looks++
    return waiting(Math.floor(time.now() / 1000))
  })
  const answers: {
    second: number
    missing: number
    isMet: boolean
    isUnmet: boolean
    isBacklogged: boolean
  }[] = []
  const run = async () => {
    for (let half = 0; half < 2 * seconds; half++) {
      await time.sleep(500)
      const second = time.now() / 1000
      answers.push({
        second,
        missing: await demand.look(second),
        isMet: demand.isMet,
        isUnmet: demand.isUnmet,
        isBacklogged: demand.isBacklogged,
      })
    }
  }
  await time.run(run())
  return { answers, looks }
}

test('an empty queue asks for tasks once a second, but not in the first seconds of a listing', async () => {
  const { answers, looks } = await ask(20, () => 0)
  const asking = answers.filter(({ missing }) => missing > 0)
  expect(asking[0]?.second).toBeGreaterThan(3)
  expect(asking.length).toBeLessThanOrEqual(17)
  expect(looks).toBeLessThanOrEqual(20)
  expect(answers.some(({ isMet }) => isMet)).toBe(false)
  expect(answers.find(({ isUnmet }) => isUnmet)?.second).toBeGreaterThan((asking[0]?.second ?? 0) + 2)
})

test('the more tasks wait the fewer are missing', async () => {
  const missing = async (waiting: number) =>
    Math.max(...(await ask(15, () => waiting)).answers.map((answer) => answer.missing))
  expect(await missing(20)).toBe((await missing(0)) - 20)
  expect(await missing(10_000)).toBe(0)
})

test('workers have enough to do when that is seen some times in a row: counts lag', async () => {
  const { answers } = await ask(40, (second) => (second < 15 || second === 18 ? 0 : 1_000))
  const at = (second: number) => answers.find((answer) => answer.second === second)
  expect([16, 20, 30].map((second) => at(second)?.isMet)).toEqual([false, false, true])
  expect(at(30)?.isUnmet).toBe(false)
})

test('that workers have enough to do is seen from the start', async () => {
  const { answers } = await ask(8, () => 1_000)
  expect(answers.at(-1)?.isMet).toBe(true)
})

test('workers are far behind while very many tasks wait', async () => {
  const waiting = [100, 100, 1_000, 1_000, undefined]
  const { answers } = await ask(5, (second) => waiting[second])
  expect(answers.filter(({ isBacklogged }) => isBacklogged).map(({ second }) => second)).toEqual([
    2.5, 3, 3.5, 4,
  ])
})

test('a depth that can’t be told asks for nothing, and is seldom asked for', async () => {
  const { answers, looks } = await ask(60, () => undefined)
  expect(answers.every(({ missing }) => missing === 0)).toBe(true)
  expect(answers.every(({ isMet, isUnmet }) => isMet && !isUnmet)).toBe(true)
  expect(looks).toBeLessThanOrEqual(6)
})
