/** A mistake or state that the person who runs the workflow can mend; its message is all that they are shown. */
export class UserError extends Error {
  override name = 'UserError'
}

/** What to tell a person of any error: the message, and for AWS's errors the code, the request and what to look at. */
export function explain(error: unknown): string {
  if (error instanceof UserError) return error.message
  if (!(error instanceof Error)) return String(error)
  const { $metadata, cause } = error as Error & {
    $metadata?: { httpStatusCode?: number; requestId?: string }
  }
  if (error.name === 'AbortError') return 'What was under way was broken off.'
  if (!$metadata) return `${error.name}: ${error.message}${hint(error.name)}`
  // The SDK puts it on what the network says, too.
  if ($metadata.httpStatusCode === undefined)
    return `AWS can’t be reached: ${(cause instanceof Error ? cause : error).message}. Is \`region\` right, and the network there?`
  const request = $metadata.requestId ? ` (request ${$metadata.requestId})` : ''
  return `AWS answered ${error.name}: ${error.message}${request}${hint(error.name)}`
}

function hint(code: string): string {
  if (isDenied(code)) return '. The workflow’s role lacks a permission: see docs/permissions.md.'
  if (isExpired(code))
    return '. The workflow’s credentials have expired: raise `role-duration-seconds` of configure-aws-credentials.'
  if (/^(CredentialsProviderError)$/.test(code))
    return '. No AWS credentials: run aws-actions/configure-aws-credentials before this step.'
  return ''
}

/** Whether an error's name says that a permission is missing. A HEAD request has no room for a code. */
export function isDenied(name: string): boolean {
  return /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|Forbidden|403)$/.test(name)
}

function isExpired(code: string): boolean {
  return /^(ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired)$/.test(code)
}
