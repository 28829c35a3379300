import { expect, test } from '@jest/globals'
import { Slots } from '../../lambda/slots.ts'

test('so many get through at once, the others in the order in which they came', async () => {
  const slots = new Slots(2)
  const through: number[] = []
  const pass = async (n: number) => {
    await slots.take()
    through.push(n)
  }
  const all = Promise.all([1, 2, 3, 4, 5].map(pass))
  const settle = () => new Promise(setImmediate)
  await settle()
  expect(through).toEqual([1, 2])
  slots.give()
  await settle()
  expect(through).toEqual([1, 2, 3])
  slots.give()
  slots.give()
  await all
  expect(through).toEqual([1, 2, 3, 4, 5])
  // Three were given back of five taken: both that there are stay taken until they are given back as well.
  expect(slots.take()).toBeInstanceOf(Promise)
})

test('nobody waits where there is room', () => {
  const slots = new Slots(1)
  expect(slots.take()).toBeUndefined()
  slots.give()
  expect(slots.take()).toBeUndefined()
})

test('work that fails gives its slot back', async () => {
  const slots = new Slots(1)
  const failing = slots.hold(async () => {
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(slots.take()).toBeUndefined()
})
