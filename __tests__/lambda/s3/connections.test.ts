import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { HEAD_OBJECT, isTransient } from '../../../lambda/s3/index.ts'
import { COPIED, COPY, client, rejection, type Seen, serve } from './support.ts'

const sockets = (seen: Seen[]) => new Set(seen.map(({ socket }) => socket)).size

/** A server that answers the first request on each socket and drops the socket at any further one. */
function servesOnce() {
  const used = new Set<Seen['socket']>()
  return serve(({ socket }) => {
    if (used.has(socket)) {
      socket.resetAndDestroy()
      return undefined
    }
    used.add(socket)
    return { body: COPIED }
  })
}

describe('a connection', () => {
  test('is kept for the next request, also after HEAD and after an error', async () => {
    const { url, seen } = await serve(({ method }, n) =>
      n === 5 ? { status: 404 } : { body: method === 'HEAD' ? '' : COPIED },
    )
    const s3 = client(url)
    for (let i = 0; i < 5; i++) await s3.copyObject(COPY)
    await rejection(s3.copyObject(COPY))
    await s3.perform(HEAD_OBJECT, { bucket: 'to', key: 'k' })
    await s3.copyObject(COPY)
    expect(seen).toHaveLength(8)
    expect(sockets(seen)).toBe(1)
  })

  test('is one of so many at most; other requests wait for theirs', async () => {
    const held: (() => void)[] = []
    const { url, seen } = await serve((_, __, response) => {
      held.push(() => response.end(COPIED))
      return undefined
    })
    const s3 = client(url, { connections: 3 })
    const calls = Array.from({ length: 10 }, () => s3.copyObject(COPY))
    for (let answered = 0; answered < 10; answered++) {
      while (held.length === 0) await sleep(1)
      expect(seen.length - answered).toBeLessThanOrEqual(3)
      held.shift()?.()
      await Promise.race(calls.slice(0, answered + 1))
    }
    await Promise.all(calls)
    expect(sockets(seen)).toBe(3)
  })

  test('that was closed while it idled costs no request, though all were', async () => {
    const { url, seen } = await servesOnce()
    const s3 = client(url)
    const many = () => Promise.all(Array.from({ length: 20 }, () => s3.copyObject(COPY)))
    await many()
    await many()
    expect(seen.length).toBeGreaterThan(40)
  })

  test('that idled for long is not used again, though no timer has said so', async () => {
    let now = Date.now()
    const { url, seen } = await serve(() => ({ body: COPIED }))
    const s3 = client(url, { clock: () => now })
    await s3.copyObject(COPY)
    now += 3_000
    await s3.copyObject(COPY)
    expect(sockets(seen)).toBe(1)
    now += 10_000
    await s3.copyObject(COPY)
    expect(sockets(seen)).toBe(2)
  })
})

test('an answer that comes in pieces is put together, also within a character', async () => {
  const body = Buffer.from(COPIED.replace('<ETag>', '<ETag>日'))
  const cut = body.indexOf('日') + 1
  const { url } = await serve((_, __, response) => {
    response.write(body.subarray(0, cut), () =>
      setTimeout(() => {
        response.write(body.subarray(cut, cut + 9), () =>
          setTimeout(() => response.end(body.subarray(cut + 9)), 50),
        )
      }, 50),
    )
    return undefined
  })
  const { etag } = await client(url).copyObject(COPY)
  expect(etag).toMatch(/^日"/)
})

describe('without an answer the error is passing, and of its own:', () => {
  test('a new connection that is reset is not tried again', async () => {
    const { url, seen } = await serve(({ socket }) => {
      socket.resetAndDestroy()
      return undefined
    })
    const error = await rejection(client(url).copyObject(COPY))
    expect(error).toMatchObject({ name: 'S3Error', status: 0 })
    expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain((error as { code: string }).code)
    expect(isTransient(error)).toBe(true)
    expect(seen).toHaveLength(1)
  })

  test('an old connection that is reset is tried once on a new one, no more', async () => {
    const { url, seen } = await serve(({ socket }, n) => {
      if (n === 0) return { body: COPIED }
      socket.resetAndDestroy()
      return undefined
    })
    const s3 = client(url)
    await s3.copyObject(COPY)
    expect(await rejection(s3.copyObject(COPY))).toMatchObject({ name: 'S3Error', status: 0 })
    expect(seen).toHaveLength(3)
  })

  test('an old connection that breaks within the answer is not tried again', async () => {
    const { url, seen } = await serve(({ socket }, n) => {
      if (n === 0) return { body: COPIED }
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n<Copy')
      setTimeout(() => socket.destroy(), 50)
      return undefined
    })
    const s3 = client(url)
    await s3.copyObject(COPY)
    const error = await rejection(s3.copyObject(COPY))
    expect(error).toMatchObject({ name: 'S3Error', status: 0 })
    expect(isTransient(error)).toBe(true)
    expect(seen).toHaveLength(2)
  })

  test('nobody listens', async () => {
    const { url } = await serve(() => ({ body: COPIED }))
    const port = new URL(url).port
    // Port 1 is reserved and closed on any ordinary machine.
    const error = await rejection(client(url.replace(port, '1')).copyObject(COPY))
    expect(error).toMatchObject({
      code: 'ECONNREFUSED',
      status: 0,
      message: expect.stringContaining('127.0.0.1:1'),
    })
    expect(isTransient(error)).toBe(true)
  })

  test('silence before the answer', async () => {
    const { url } = await serve(() => undefined)
    const error = await rejection(client(url, { silenceMs: 500 }).copyObject(COPY))
    expect(error).toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT', status: 0 })
    expect(isTransient(error)).toBe(true)
  }, 300_000)

  test('silence for longer than others may be silent is none for a request that S3 may take longer over', async () => {
    const { url } = await serve((_, __, response) => {
      setTimeout(() => response.end(COPIED), 3_000)
      return undefined
    })
    const s3 = client(url, { silenceMs: 500 })
    expect(await s3.copyObject({ ...COPY, silenceMs: 120_000 })).toMatchObject({ etag: expect.any(String) })
  }, 300_000)

  test('silence within the answer', async () => {
    const { url } = await serve((_, __, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('<Copy')
      return undefined
    })
    const error = await rejection(client(url, { silenceMs: 500 }).copyObject(COPY))
    expect(error).toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT', status: 0 })
  }, 300_000)

  test('an answer that is no HTTP', async () => {
    const { url } = await serve(({ socket }) => {
      socket.end('SSH-2.0-OpenSSH\r\n')
      return undefined
    })
    const error = await rejection(client(url).copyObject(COPY))
    expect(error).toMatchObject({ name: 'S3Error', status: 0 })
    expect(isTransient(error)).toBe(true)
  })
})

describe('an aborted call', () => {
  test("ends with the signal's reason, on the wire or waiting, and frees its connection", async () => {
    const { url, seen } = await serve((_, n) => (n === 0 ? undefined : { body: COPIED }))
    const s3 = client(url, { connections: 1 })
    const [first, second] = [new AbortController(), new AbortController()]
    const onTheWire = s3.copyObject({ ...COPY, signal: first.signal })
    const waiting = s3.copyObject({ ...COPY, signal: second.signal })
    const after = s3.copyObject(COPY)
    while (seen.length === 0) await sleep(1)
    second.abort(new Error('no longer'))
    first.abort(new Error('enough'))
    expect(await rejection(onTheWire)).toMatchObject({ message: 'enough' })
    expect(await rejection(waiting)).toMatchObject({ message: 'no longer' })
    expect(await after).toMatchObject({ etag: expect.any(String) })
    expect(seen).toHaveLength(2)
  })

  test('does not wait for a connection that others have', async () => {
    const { url, seen } = await serve(() => undefined)
    const s3 = client(url, { connections: 1 })
    const [holding, waiting] = [new AbortController(), new AbortController()]
    const held = rejection(s3.copyObject({ ...COPY, signal: holding.signal }))
    const aborted = rejection(s3.copyObject({ ...COPY, signal: waiting.signal }))
    while (seen.length === 0) await sleep(1)
    waiting.abort(new Error('no longer'))
    expect(await aborted).toMatchObject({ message: 'no longer' })
    holding.abort()
    await held
    expect(seen).toHaveLength(1)
  })

  test('does not wait for a connection that is being made, which makes room for the next request', async () => {
    const connected = Promise.withResolvers<void>()
    const taken: Socket[] = []
    // It takes connections, and says nothing of TLS.
    const deaf = createServer((socket) => {
      taken.push(socket)
      connected.resolve()
    }).listen(0, '127.0.0.1')
    await once(deaf, 'listening')
    const { port } = deaf.address() as AddressInfo
    const s3 = client(`https://127.0.0.1:${port}`, { connections: 1 })
    const [first, second] = [new AbortController(), new AbortController()]
    const calls = [first, second].map(({ signal }) => rejection(s3.copyObject({ ...COPY, signal })))
    await connected.promise
    // undici gives up on a connection after 10 s.
    const late = sleep(8_000, 'late', { ref: false })
    for (const [index, controller] of [first, second].entries()) {
      const reason = new Error('enough')
      controller.abort(reason)
      expect(await Promise.race([calls[index], late])).toBe(reason)
    }
    deaf.close()
    for (const socket of taken) socket.destroy()
  })

  test('before it began sends nothing', async () => {
    const { url, seen } = await serve(() => ({ body: COPIED }))
    const reason = new Error('too late')
    expect(await rejection(client(url).copyObject({ ...COPY, signal: AbortSignal.abort(reason) }))).toBe(
      reason,
    )
    expect(seen).toHaveLength(0)
  })
})
