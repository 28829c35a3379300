/** A mistake or state that the person who runs the workflow can mend; its message is all that they are shown. */
export class UserError extends Error {
  override name = 'UserError'
}

/** What to tell a person of any error, in whole sentences: the message, and for AWS's errors the code, the call, the request and what to look at. */
export function explain(error: unknown): string {
  if (error instanceof UserError) return error.message
  if (!(error instanceof Error)) return String(error)
  const { $metadata, cause, call } = error as Error & {
    $metadata?: { httpStatusCode?: number; requestId?: string }
    /** See `nameCalls`. */
    call?: string
  }
  if (error.name === 'AbortError') return 'The operation was aborted.'
  if (!$metadata) return `${sentence(`${error.name}: ${error.message}`)}${hint(error.name)}`
  // The SDK puts it on what the network says, too.
  if ($metadata.httpStatusCode === undefined)
    return `AWS can’t be reached${call ? ` for ${call}` : ''}: ${(cause instanceof Error ? cause : error).message}. Check \`region\` and the runner’s network.`
  const request = $metadata.requestId ? ` (request ${$metadata.requestId})` : ''
  const to = call ? ` to ${call}` : ''
  return `${sentence(`AWS answered ${error.name}${to}: ${error.message}${request}`)}${hint(error.name)}`
}

/** What others say may end with a full stop, or not. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function hint(code: string): string {
  if (isDenied(code)) return ' The workflow’s role lacks a permission: see docs/permissions.md.'
  if (isExpired(code))
    return ' The workflow’s credentials have expired. Raise `role-duration-seconds` of configure-aws-credentials.'
  if (isUnknown(code))
    return ' AWS does not recognize the workflow’s credentials. Check that they are complete, that they still exist, and that the account has enabled this region.'
  if (code === 'CredentialsProviderError')
    return ' There are no AWS credentials. Run aws-actions/configure-aws-credentials before this step.'
  return ''
}

/** Whether an error's name says that a permission is missing. A HEAD request has no room for a code. */
export function isDenied(name: string): boolean {
  return /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|Forbidden|403)$/.test(name)
}

/** CloudFormation and STS, Lambda and SQS, and S3 each have a name of their own for it. */
function isUnknown(code: string): boolean {
  return /^(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|InvalidToken)$/.test(code)
}

function isExpired(code: string): boolean {
  return /^(ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired)$/.test(code)
}
