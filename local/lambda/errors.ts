const STATUS = {
  InvalidParameterValueException: 400,
  InvalidRequestContentException: 400,
  ResourceConflictException: 409,
  ResourceInUseException: 400,
  ResourceNotFoundException: 404,
  TooManyRequestsException: 429,
} as const

/** An error that Lambda's API answers with, by the name that the SDK gives it. */
export class LambdaError extends Error {
  readonly status: number

  constructor(name: keyof typeof STATUS, message: string) {
    super(message)
    this.name = name
    this.status = STATUS[name]
  }
}
