import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Reads the options of a tool. Ends the process with code 2 and what is wrong with them, rather than with a stack trace. */
export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    return refuse((error as Error).message)
  }
}

/** Ends the process because of what its options say. */
export function refuse(problem: string): never {
  console.error(problem)
  process.exit(2)
}
