/**
 * One way to call CopyObject or to list a page, in a process of its own so that its CPU time and memory are its own. For
 * each number that the parent sends it makes so many calls, and answers with what they cost. Loads nothing of the others.
 */
const [name = '', endpoint = '', inFlight = '256'] = process.argv.slice(2)
const IN_FLIGHT = Number(inFlight)
const REGION = 'us-east-1'
/** As long as those of a Lambda function. */
const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: 'token'.repeat(150),
}

export type Cost = { calls: number; cpuMs: number; wallMs: number; rssMb: number }

/** A copy of the nth object, or a page; ends when the answer has been read. */
type Call = (n: number) => Promise<unknown>

const keyOf = (n: number) => `data/2026/01/part-${n % 100_000}.parquet`

/** Makes signed requests for undici. */
async function requests() {
  const { Signer } = await import('../../lambda/s3/signer.ts')
  const signer = new Signer()
  const { host } = new URL(endpoint)
  const sign = (method: 'GET' | 'PUT', path: string, query: string, unsigned: [string, string][] = []) => {
    const request = { method, host, path, query, headers: unsigned }
    const headers = signer.sign(request, CREDENTIALS, REGION, Date.now())
    headers.push('user-agent', 's3-71-action')
    return { method, path: query === '' ? path : `${path}?${query}`, headers }
  }
  return {
    copy: (n: number) =>
      sign('PUT', `/destination/${keyOf(n)}`, '', [
        ['x-amz-copy-source', `source/${keyOf(n)}`],
        ['x-amz-object-annotation-directive', 'EXCLUDE'],
      ]),
    list: () => sign('GET', '/source', 'encoding-type=url&list-type=2'),
  }
}

async function sdk() {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const { NodeHttpHandler } = await import('@smithy/node-http-handler')
  return new S3Client({
    region: REGION,
    endpoint,
    forcePathStyle: true,
    credentials: CREDENTIALS,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpAgent: { maxSockets: IN_FLIGHT, keepAlive: true } }),
  })
}

async function pool() {
  const { Pool } = await import('undici')
  return new Pool(endpoint, { connections: IN_FLIGHT })
}

const CONTENDERS: Record<string, () => Promise<Call>> = {
  async 'undici, signed'() {
    const [connections, { copy }] = [await pool(), await requests()]
    return async (n) => (await connections.request(copy(n))).body.text()
  },
  async undici() {
    const [connections, { copy }] = [await pool(), await requests()]
    const request = copy(1)
    return async () => (await connections.request(request)).body.text()
  },
  async 'undici dispatch'() {
    const [connections, { copy }] = [await pool(), await requests()]
    const request = copy(1)
    return () =>
      new Promise((resolve, reject) => {
        const chunks: Buffer[] = []
        connections.dispatch(request, {
          onConnect() {},
          onHeaders: () => true,
          onData: (chunk) => chunks.push(chunk) > 0,
          onComplete: () => resolve(Buffer.concat(chunks).toString()),
          onError: reject,
        })
      })
  },
  async ours() {
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
  async 'AWS SDK'() {
    const { CopyObjectCommand } = await import('@aws-sdk/client-s3')
    const s3 = await sdk()
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
  async 'undici, list'() {
    const [connections, { list }] = [await pool(), await requests()]
    const request = list()
    return async () => (await connections.request(request)).body.text()
  },
  async 'AWS SDK, list'() {
    const { ListObjectsV2Command } = await import('@aws-sdk/client-s3')
    const s3 = await sdk()
    return () => s3.send(new ListObjectsV2Command({ Bucket: 'source', EncodingType: 'url' }))
  },
}

async function callMany(call: Call, calls: number): Promise<Cost> {
  const before = { cpu: process.cpuUsage(), time: performance.now() }
  let n = 0
  const worker = async () => {
    while (n < calls) await call(n++)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const { user, system } = process.cpuUsage(before.cpu)
  const wallMs = performance.now() - before.time
  return { calls, cpuMs: (user + system) / 1000, wallMs, rssMb: process.memoryUsage.rss() / 2 ** 20 }
}

const call = await CONTENDERS[name]?.()
if (call === undefined) throw new Error(`no contender ${name}: ${Object.keys(CONTENDERS).join(', ')}`)
process.on('message', (calls: number) => void callMany(call, calls).then((cost) => process.send?.(cost)))
process.on('disconnect', () => process.exit())
process.send?.('ready')
