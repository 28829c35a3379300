/**
 * One way to call CopyObject, in a process of its own so that its CPU time and memory are its own. For each number that
 * the parent sends it makes so many copies, 256 in flight, and answers with what they cost. Loads nothing of the others.
 */
const IN_FLIGHT = 256
const REGION = 'us-east-1'
/** As long as those of a Lambda function. */
const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: 'token'.repeat(150),
}

export type Cost = { copies: number; cpuMs: number; wallMs: number; rssMb: number }

/** A copy of the nth object; like S3's own calls, it ends when the answer has been read. */
type Copy = (n: number) => Promise<unknown>

const keyOf = (n: number) => `data/2026/01/part-${n % 100_000}.parquet`

/** The same request every time, signed beforehand: what undici costs by itself. */
async function signedBeforehand(endpoint: string) {
  const { Signer } = await import('../../lambda/s3/signer.ts')
  const headers = new Signer().sign(
    {
      method: 'PUT',
      host: new URL(endpoint).host,
      path: `/destination/${keyOf(1)}`,
      query: '',
      headers: [
        ['x-amz-copy-source', `source/${keyOf(1)}`],
        ['x-amz-object-annotation-directive', 'EXCLUDE'],
      ],
    },
    CREDENTIALS,
    REGION,
    Date.now(),
  )
  headers.push('user-agent', 's3-71-action')
  return { method: 'PUT' as const, path: `/destination/${keyOf(1)}`, headers }
}

const CONTENDERS: Record<string, (endpoint: string) => Promise<Copy>> = {
  async undici(endpoint) {
    const { Pool } = await import('undici')
    const pool = new Pool(endpoint, { connections: IN_FLIGHT })
    const request = await signedBeforehand(endpoint)
    return async () => (await pool.request(request)).body.text()
  },
  async 'undici dispatch'(endpoint) {
    const { Pool } = await import('undici')
    const pool = new Pool(endpoint, { connections: IN_FLIGHT })
    const request = await signedBeforehand(endpoint)
    return () =>
      new Promise((resolve, reject) => {
        const chunks: Buffer[] = []
        pool.dispatch(request, {
          onConnect() {},
          onHeaders: () => true,
          onData: (chunk) => chunks.push(chunk) > 0,
          onComplete: () => resolve(Buffer.concat(chunks).toString()),
          onError: reject,
        })
      })
  },
  async ours(endpoint) {
    const { createS3Client } = await import('../../lambda/s3/index.ts')
    const s3 = createS3Client({
      region: REGION,
      endpoint,
      credentials: () => CREDENTIALS,
      connections: IN_FLIGHT,
    })
    return (n) =>
      s3.copyObject({
        bucket: 'destination',
        key: keyOf(n),
        sourceBucket: 'source',
        sourceKey: keyOf(n),
        annotationDirective: 'EXCLUDE',
      })
  },
  async 'AWS SDK'(endpoint) {
    const { CopyObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
    const { NodeHttpHandler } = await import('@smithy/node-http-handler')
    const s3 = new S3Client({
      region: REGION,
      endpoint,
      forcePathStyle: true,
      credentials: CREDENTIALS,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ httpAgent: { maxSockets: IN_FLIGHT, keepAlive: true } }),
    })
    return (n) =>
      s3.send(
        new CopyObjectCommand({
          Bucket: 'destination',
          Key: keyOf(n),
          CopySource: `source/${keyOf(n)}`,
          AnnotationDirective: 'EXCLUDE',
        }),
      )
  },
}

async function copyMany(copy: Copy, copies: number): Promise<Cost> {
  const before = { cpu: process.cpuUsage(), time: performance.now() }
  let n = 0
  const worker = async () => {
    while (n < copies) await copy(n++)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const { user, system } = process.cpuUsage(before.cpu)
  const wallMs = performance.now() - before.time
  return { copies, cpuMs: (user + system) / 1000, wallMs, rssMb: process.memoryUsage.rss() / 2 ** 20 }
}

const [name = '', endpoint = ''] = process.argv.slice(2)
const copy = await CONTENDERS[name]?.(endpoint)
if (copy === undefined) throw new Error(`no contender ${name}: ${Object.keys(CONTENDERS).join(', ')}`)
process.on('message', (copies: number) => void copyMany(copy, copies).then((cost) => process.send?.(cost)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
