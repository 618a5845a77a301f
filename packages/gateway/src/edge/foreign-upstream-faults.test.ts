import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { until } from '@flotilla/core/until'
import { openTestGateway } from './open-gateway.test.ts'
import { type Legacy, openLegacy } from './open-legacy.test.ts'
import { openSecureGateway } from './open-secure-gateway.test.ts'

/** A gateway before these targets, at `/its`. */
async function openBefore<G>(
  t: TestContext,
  open: (t: TestContext, environment: Record<string, string>) => Promise<G>,
  upstream: object,
): Promise<G> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'policies.json')
  const routes = [
    {
      match: { path: '/its/**' },
      upstream: { name: 'its', webSocketOrigins: ['*'] },
      access: 'anyone',
    },
  ]
  writeFileSync(path, JSON.stringify({ gateway: { upstreams: { its: upstream }, routes } }))
  return await open(t, { FLOTILLA_POLICIES: path })
}

async function openServer(t: TestContext, ...options: Parameters<typeof openLegacy>): Promise<Legacy> {
  const legacy = await openLegacy(...options)
  t.after(() => void legacy.server.close().closeAllConnections())
  return legacy
}

/** Answers every request with these bytes. */
async function openRaw(t: TestContext, bytes: string): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(bytes, 'latin1'))
  })
  t.after(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

describe('A foreign upstream that fails', { timeout: 60_000 }, () => {
  it('is not asked again for more than a tenth of the requests', async (t) => {
    let requests = 0
    const cut = await openServer(t, (incoming) => {
      requests++
      incoming.socket.destroy()
      return true
    })
    const { ask } = await openBefore(t, openTestGateway, { targets: [cut.origin], retries: 2 })
    assert.equal((await ask('/its/x')).status, 502)
    assert.equal(requests, 3)
    for (let turn = 0; turn < 99; turn++) assert.equal((await ask('/its/x')).status, 502)
    assert.ok(requests >= 101 && requests <= 120, `${requests} for 100`)
  })

  it('is not blamed for clients that leave', async (t) => {
    let hanging = 0
    let prompt = 0
    const one = await openServer(t, ({ url }, outgoing) => {
      if (url?.endsWith('/hang')) hanging++
      else {
        prompt++
        outgoing.end('one')
      }
      return true
    })
    // So slow that the other one is asked whenever it is not held against it that nobody waited for it.
    const slow = await openServer(t, (_, outgoing) => {
      systemClock.schedule(100, () => outgoing.end('slow'))
      return true
    })
    const { ask, port } = await openBefore(t, openTestGateway, { targets: [one.origin, slow.origin] })
    for (let left = 0; left < 8; left++) {
      const before = hanging
      const socket = connect(port, '127.0.0.1')
      let isAnswered = false
      socket.on('data', () => {
        isAnswered = true
      })
      socket.on('error', () => {})
      socket.write('GET /its/hang HTTP/1.1\r\nHost: a.test\r\n\r\n')
      await until('somebody was asked', () => isAnswered || hanging > before)
      socket.destroy()
    }
    assert.ok(hanging >= 6, `${hanging} hung`)
    for (let turn = 0; turn < 5; turn++) await ask('/its/x')
    assert.ok(prompt >= 3, `${prompt} of 5`)
  })

  it('is told as 502 when what it answers cannot be passed on', async (t) => {
    for (const head of [
      'HTTP/1.1 200 OK\r\nx-bad: a\x01b\r\ncontent-length: 2\r\n\r\nok',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nx y: 1\r\ncontent-length: 2\r\n\r\nok',
      `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(20_000)}\r\ncontent-length: 2\r\n\r\nok`,
      'nothing of HTTP\r\n\r\n',
    ]) {
      const targets = [await openRaw(t, head)]
      const { ask } = await openBefore(t, openTestGateway, { targets, retries: 0 })
      assert.equal((await ask('/its/x')).status, 502, head.slice(0, 60))
    }
  })

  it('may stream for as long as the gateway is there', async (t) => {
    const events = await openServer(t, (_, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
      outgoing.write('data: 1\n\n')
      return true
    })
    const { raw, app, accessLog } = await openBefore(t, openTestGateway, { targets: [events.origin] })
    const stream = raw('GET /its/events HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await until('it has begun', async () => {
      const { open } = await connectionsOf(events)
      return open > 0
    })
    await app.hostOf('gateway').close()
    assert.match(await stream, /content-type: text\/event-stream.*connection: close.*data: 1/s)
    assert.equal(accessLog().at(-1)?.['upstream'], 'its')
  })
})

function connectionsOf({ server }: Legacy): Promise<{ open: number }> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, open) => (error ? reject(error) : resolve({ open }))),
  )
}

describe('A foreign upstream behind TLS', { timeout: 60_000 }, () => {
  it('takes bodies and gives answers over HTTP/2 as over HTTP/1.1', async (t) => {
    const { origin, asked } = await openServer(t)
    const { ask } = await openBefore(t, openSecureGateway, { targets: [origin] })
    const text = 'b'.repeat(200_000)
    for (const protocol of ['h1', 'h2'] as const) {
      const posted = await ask('/its/x', { text }, { protocol })
      assert.deepEqual([posted.status, posted.text], [200, 'POST /its/x'])
      assert.deepEqual(posted.headers['set-cookie'], ['a=1', 'b=2'])
      const seen = asked.at(-1) ?? assert.fail()
      assert.deepEqual(
        [seen.body === text, seen.headers['content-length'], seen.headers['x-forwarded-proto']],
        [true, '200000', 'https'],
      )
      const long = await ask('/its/long', {}, { protocol })
      assert.deepEqual([long.text.length, long.headers['content-length']], [300_000, '300000'])
      assert.equal((await ask('/its/parts', {}, { protocol })).text, 'onetwothree')
      const none = await ask('/its/none', {}, { protocol })
      assert.deepEqual([none.status, none.text, none.headers['content-length']], [204, '', undefined])
      const head = await ask('/its/long', { method: 'HEAD' }, { protocol })
      assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '300000'])
    }
  })

  it('speaks WebSocket', async (t) => {
    const { origin, asked } = await openServer(t)
    const { socket } = await openBefore(t, openSecureGateway, { targets: [origin] })
    const its = await socket({ alpn: ['http/1.1'] })
    let text = ''
    its.on('data', (part: Buffer) => {
      text += part.toString('latin1')
    })
    its.write(
      'GET /its/chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\nhello',
    )
    await until('it comes back', () => text.endsWith('hello'))
    assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
    assert.equal(asked.at(-1)?.headers['x-forwarded-proto'], 'https')
    its.destroy()
  })
})
