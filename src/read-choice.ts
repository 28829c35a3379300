import * as core from '@actions/core'
import { printable } from './text.ts'

/** An input that is one of a few words. Throws an error that begins with its name. */
export function readChoice<T extends string>(name: string, choices: readonly T[]): T {
  const text = core.getInput(name)
  const choice = choices.find((one) => one === text)
  if (choice === undefined) throw new Error(`${name}: "${printable(text)}" must be ${tell(choices)}`)
  return choice
}

function tell(choices: readonly string[]): string {
  const words = choices.filter((word) => word !== '').join(', ')
  return choices.includes('') ? `empty or one of ${words}` : `one of ${words}`
}
