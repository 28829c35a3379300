import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'

type Tls = {
  /** With which a function's S3 calls go through TLS. */
  env: Record<string, string>
  close: () => Promise<void>
}

/** TLS in front of an HTTP endpoint, as S3 has it. Undefined where there is no openssl to make a certificate with. */
export async function startTls(endpoint: string): Promise<Tls | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 's3-71-tls-'))
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  try {
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-keyout', keyFile, '-out', certFile],
      ...['-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ])
  } catch (error) {
    await rm(folder, { recursive: true })
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const { port } = new URL(endpoint)
  const sockets = new Set<TLSSocket>()
  const server = createServer({ key: await readFile(keyFile), cert: await readFile(certFile) }, (socket) => {
    sockets.add(socket)
    const plain = connect(Number(port), '127.0.0.1')
    socket.pipe(plain).pipe(socket)
    socket.on('error', () => plain.destroy()).on('close', () => sockets.delete(socket))
    plain.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    env: {
      AWS_ENDPOINT_URL_S3: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      NODE_EXTRA_CA_CERTS: certFile,
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await rm(folder, { recursive: true })
    },
  }
}
