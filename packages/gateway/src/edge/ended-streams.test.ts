import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { until } from '@flotilla/core/until'
import { openTestGateway, type TestGateway } from './open-gateway.test.ts'
import { openLegacy } from './open-legacy.test.ts'

const BOUND_MS = 5_000

/** Behind a foreign server there are events and WebSockets, too. */
async function open(t: TestContext): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
  const { origin, server } = await openLegacy((incoming, outgoing) => {
    if (incoming.url !== '/old/events') return false
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"count":1}\n\n')
    return true
  })
  t.after(() => {
    server.close().closeAllConnections()
    rmSync(folder, { recursive: true })
  })
  const routes = [
    {
      match: { path: '/old/**' },
      upstream: { name: 'old', webSocketOrigins: ['*'] },
      access: 'user',
    },
  ]
  const path = join(folder, 'policies.json')
  writeFileSync(path, JSON.stringify({ gateway: { upstreams: { old: { targets: [origin] } }, routes } }))
  return openTestGateway(t, { FLOTILLA_POLICIES: path })
}

/** A stream that is read. */
async function follow(t: TestContext, { port }: TestGateway, path: string, fields: string) {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let text = ''
  socket.on('data', (part) => {
    text += part.toString('latin1')
  })
  // Cut connections are what this is about.
  socket.on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n`)
  return { socket, text: () => text }
}

const WEB_SOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n'

describe('Streams', { timeout: 60_000 }, () => {
  it('end with the session they were asked for with, whoever sends them, and others go on', async (t) => {
    const its = await open(t)
    const [mine, other] = [await its.token('u1', { sid: 's1' }), await its.token('u1', { sid: 's2' })]
    const openAll = async (token: string) => {
      const authorization = `Authorization: Bearer ${token}\r\n`
      return [
        await follow(t, its, '/api/v1/watch', authorization),
        await follow(t, its, '/old/events', authorization),
        await follow(t, its, '/old/chat', `${authorization}${WEB_SOCKET}`),
      ]
    }
    const [theirs, others] = [await openAll(mine), await openAll(other)]
    for (const { text } of [...theirs, ...others])
      await until('it has begun', () => /"count":1|^HTTP\/1\.1 101/.test(text()))
    await until('the service waits', () => its.held.length === 2)
    const [watched] = theirs
    its.ended.push('s1')
    const endedMs = its.app.ports.clock.monotonicMs()
    for (const { socket } of theirs) await until('it is closed', () => socket.destroyed, BOUND_MS)
    assert.ok(its.app.ports.clock.monotonicMs() - endedMs < BOUND_MS)
    assert.match(watched?.text() ?? '', /event: error\ndata: .*"code":"unauthenticated"/)
    await until('the service hears of it', () => its.held.some(({ ctx }) => ctx.signal.aborted))
    const again = await its.ask('/api/v1/me', { headers: { authorization: `Bearer ${mine}` } })
    assert.equal(again.status, 401)
    for (const { socket } of others) assert.equal(socket.destroyed, false)
    assert.deepEqual(its.held.map(({ ctx }) => ctx.signal.aborted).toSorted(), [false, true])
    for (const { letGo } of its.held) letGo()
  })

  it('end with the API key they were asked for with', async (t) => {
    const its = await open(t)
    const key = 'fk_0123456789abcdef'
    its.apiKeys.set(key, { id: 'u1', roles: ['user'], scopes: [], tier: 'free' })
    const { socket, text } = await follow(t, its, '/api/v1/watch', `X-Api-Key: ${key}\r\n`)
    await until('it has begun', () => text().includes('"count":1'))
    its.apiKeys.delete(key)
    its.ended.push(createHash('sha256').update(key).digest('base64url'))
    await until('it is closed', () => socket.destroyed, BOUND_MS)
    const headers = { 'x-api-key': key }
    assert.equal((await its.ask('/api/v1/me', { headers })).status, 401)
    for (const { letGo } of its.held) letGo()
  })
})
