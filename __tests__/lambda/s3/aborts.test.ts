import { getEventListeners } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { Aborts } from '../../../lambda/s3/aborts.ts'

function work(name: string, ended: string[], then?: () => void) {
  return {
    abort: () => {
      ended.push(name)
      then?.()
    },
  }
}

describe('work that is under way', () => {
  test('ends with its own signal, and no other', () => {
    const [aborts, ended] = [new Aborts(), [] as string[]]
    const [one, other] = [new AbortController(), new AbortController()]
    for (const name of ['a', 'b']) aborts.add(one.signal, work(name, ended))
    aborts.add(other.signal, work('c', ended))
    one.abort()
    expect(ended).toEqual(['a', 'b'])
    other.abort()
    expect(ended).toEqual(['a', 'b', 'c'])
  })

  test('is no longer ended once it is done, the rest is', () => {
    const [aborts, ended, controller] = [new Aborts(), [] as string[], new AbortController()]
    const [done, running] = [work('done', ended), work('running', ended)]
    for (const one of [done, running]) aborts.add(controller.signal, one)
    aborts.delete(controller.signal, done)
    controller.abort()
    expect(ended).toEqual(['running'])
  })

  test('may be done because it was ended', () => {
    const [aborts, ended, controller] = [new Aborts(), [] as string[], new AbortController()]
    const pieces = ['a', 'b', 'c'].map((name) => {
      const piece = work(name, ended, () => aborts.delete(controller.signal, piece))
      return piece
    })
    for (const piece of pieces) aborts.add(controller.signal, piece)
    controller.abort()
    expect(ended).toEqual(['a', 'b', 'c'])
  })

  test('has one listener on its signal, and none when it is done', () => {
    const [aborts, { signal }] = [new Aborts(), new AbortController()]
    const pieces = Array.from({ length: 300 }, (_, n) => work(String(n), []))
    for (const piece of pieces) aborts.add(signal, piece)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    for (const piece of pieces) aborts.delete(signal, piece)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    aborts.add(signal, work('again', []))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  })
})
