import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { until } from '../../testing/until.ts'
import { createHttpClient, type HttpRequest } from './http-client.ts'

/** A client, and a server on loopback for it. */
async function open(t: TestContext, listener: RequestListener) {
  const server: Server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a?b=c`
  const client = createHttpClient(systemClock)
  let connections = 0
  let openConnections = 0
  server.on('connection', (socket) => {
    connections++
    openConnections++
    socket.once('close', () => openConnections--)
  })
  t.after(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  const send = (more: Partial<HttpRequest> = {}) =>
    client.send({ method: 'GET', url, timeoutMs: 5_000, ...more })
  return { send, server, client, connections: () => connections, openConnections: () => openConnections }
}

const unavailable = (why: RegExp) => (error: Error) => {
  assert.equal((error as { code?: string }).code, 'unavailable')
  assert.match(String(error.cause), why)
  return true
}

describe('The HTTP client', () => {
  it('sends what it is given, gives every answer, and keeps the connection', async (t) => {
    const { send, connections } = await open(t, async (request, response) => {
      const parts: Buffer[] = []
      for await (const part of request) parts.push(part)
      const { method, url, headers } = request
      const seen = [method, url, headers['x-a'], headers['content-length'], Buffer.concat(parts).toString()]
      response.writeHead(418, { 'x-seen': 'yes' }).end(JSON.stringify(seen))
    })
    const posted = await send({ method: 'POST', headers: { 'x-a': '1' }, body: 'häuser' })
    assert.deepEqual([posted.status, posted.headers['x-seen']], [418, 'yes'])
    assert.deepEqual(JSON.parse(posted.body), ['POST', '/a?b=c', '1', '7', 'häuser'])
    assert.deepEqual(JSON.parse((await send({ method: 'POST' })).body), ['POST', '/a?b=c', null, '0', ''])
    assert.deepEqual(JSON.parse((await send()).body), ['GET', '/a?b=c', null, null, ''])
    assert.equal(connections(), 1)
  })

  it('waits no longer than it is told, for the head or for the rest, and leaves nothing open', async (t) => {
    const { send, openConnections } = await open(t, (request, response) => {
      if (request.method === 'POST') response.writeHead(200).write('a part')
    })
    await assert.rejects(send({ timeoutMs: 50 }), unavailable(/No answer within 50 ms/))
    await assert.rejects(send({ method: 'POST', timeoutMs: 50 }), unavailable(/aborted|within 50 ms/))
    await until('both are closed', () => openConnections() === 0)
  })

  it('gives up when it is told to, also before it began', async (t) => {
    const { send, openConnections } = await open(t, () => {})
    const leave = new AbortController()
    const asked = send({ signal: leave.signal })
    await until('it has come', () => openConnections() === 1)
    leave.abort(new Error('enough'))
    await assert.rejects(asked, unavailable(/enough/))
    await assert.rejects(send({ signal: leave.signal }), unavailable(/enough/))
    await until('it is closed', () => openConnections() === 0)
  })

  it('takes no answer that is too long, and none that is broken', async (t) => {
    const { send, server } = await open(t, (request, response) => {
      if (request.method === 'GET') response.end('x'.repeat(8 * 1024 * 1024 + 1))
      else if (request.method === 'PUT') response.writeHead(200, { 'content-length': '9' }).write('x')
      if (request.method === 'DELETE')
        request.socket.end('HTTP/1.1 101 Hi\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n')
      else if (request.method !== 'GET') setImmediate(() => request.socket.destroy())
    })
    await assert.rejects(send(), unavailable(/longer than/))
    await assert.rejects(send({ method: 'PUT' }), unavailable(/aborted/))
    await assert.rejects(send({ method: 'PATCH' }), unavailable(/socket hang up/))
    await assert.rejects(send({ method: 'DELETE' }), unavailable(/./))
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
    await assert.rejects(send(), unavailable(/ECONNREFUSED/))
  })
})
