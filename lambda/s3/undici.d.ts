/**
 * The two parts of undici that the client stands on, without its fetch, WebSocket, cache and mocks: half the weight and
 * a third of the time to load.
 */
declare module 'undici/lib/dispatcher/client.js' {
  import type { Client } from 'undici'

  const UndiciClient: typeof Client
  export default UndiciClient
}

declare module 'undici/lib/core/connect.js' {
  import type { buildConnector } from 'undici'

  const build: typeof buildConnector
  export default build
}
