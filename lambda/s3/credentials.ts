export type Credentials = {
  accessKeyId: string
  secretAccessKey: string
  /** Present with temporary credentials. */
  sessionToken?: string | undefined
}

/** Asked for each request, so that it can refresh; answer without a promise where no waiting is needed. */
export type CredentialProvider = () => Credentials | Promise<Credentials>

/** How long what the environment said is taken for true, in milliseconds: to ask it takes as long as to sign. */
const FRESH_MS = 1_000

/** Gives the credentials in the environment, where Lambda puts those of the function's role. Throws when there are none. */
export function environmentCredentials(clock: () => number): CredentialProvider {
  let known: Credentials | undefined
  let until = 0
  return () => {
    const now = clock()
    if (known === undefined || now >= until) {
      known = read()
      until = now + FRESH_MS
    }
    return known
  }
}

function read(): Credentials {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
    throw new Error(
      'no AWS credentials: the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set',
    )
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN,
  }
}
