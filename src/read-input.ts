import * as core from '@actions/core'
import { printable } from './text.ts'

/** An input that is one of a few words. Throws an error that begins with its name. */
export function readChoice<T extends string>(name: string, choices: readonly T[]): T {
  const text = core.getInput(name)
  const choice = choices.find((one) => one === text)
  if (choice === undefined) throw new Error(`${name}: "${printable(text)}" must be ${tell(choices)}`)
  return choice
}

/** An input that may be empty: undefined then. Throws an error that begins with its name when the text is not `what`. */
export function readOptional(name: string, pattern: RegExp, what: string): string | undefined {
  const text = core.getInput(name)
  if (text === '') return undefined
  if (!pattern.test(text)) throw new Error(`${name}: "${printable(text)}" is not ${what}`)
  return text
}

function tell(choices: readonly string[]): string {
  const words = choices.filter((word) => word !== '').join(', ')
  return choices.includes('') ? `empty or one of ${words}` : `one of ${words}`
}
