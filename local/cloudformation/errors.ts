import { QueryError } from '../query.ts'

/** The error by which CloudFormation refuses most of what is wrong with a request or a template. */
export class ValidationError extends QueryError {
  constructor(message: string) {
    super('ValidationError', message)
  }
}
