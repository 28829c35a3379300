import { commonBegin } from './begin.ts'
import { asciiJson, encodeKey } from './encoding.ts'
import type { Listed } from './task.ts'

/** What is told of objects in the body of a copy task. */
type Contents = {
  count: number
  /** Bytes, if each key were written as a whole. */
  whole: number
  /** What all the keys begin with. */
  begin: string
}

/** The contents of a task without objects. */
export const NO_CONTENTS: Contents = { count: 0, whole: 0, begin: '' }

/** The contents with one object more. */
export function withObject({ count, whole, begin }: Contents, object: Listed): Contents {
  const entry = encodeObject(object)
  return {
    count: count + 1,
    whole: whole + asciiJson(entry).length + 1,
    begin: count === 0 ? entry[0] : commonBegin(begin, entry[0]),
  }
}

/** Bytes that the contents take. */
export function contentBytes({ count, whole, begin }: Contents): number {
  return whole - begin.length * Math.max(0, count - 1)
}

/** The object as messages hold it. */
export function encodeObject({ key, size, ...details }: Listed): [string, number, ...object[]] {
  for (const _ in details) return [encodeKey(key), size, details]
  return [encodeKey(key), size]
}
