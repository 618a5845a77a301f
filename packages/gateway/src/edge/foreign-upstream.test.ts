import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { openTestGateway } from './open-gateway.test.ts'
import { type Legacy, LONG, openLegacy } from './open-legacy.test.ts'
import { openOnce } from './open-once.test.ts'

describe('A foreign upstream', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
  const path = join(folder, 'policies.json')
  const opened: Legacy[] = []
  let halves = 0
  const legacy = (): Legacy => opened[0] as Legacy
  const gateway = openOnce(
    async (t, environment) => {
      const half = await openLegacy((_, outgoing) => {
        halves++
        outgoing.writeHead(200, { 'content-length': 100_000 })
        outgoing.write('only this')
        outgoing.socket?.destroySoon()
        return true
      })
      opened.push(await openLegacy(), await openLegacy(), half)
      const [one, two] = opened.map(({ origin }) => origin)
      await new Promise<void>((resolve) => opened[1]?.server.close(() => resolve()))
      const policies = {
        upstreams: {
          legacy: { targets: [one] },
          shaky: { targets: [one, two] },
          gone: { targets: [two], retries: 0 },
          half: { targets: [half.origin] },
        },
        routes: [
          {
            match: { path: '/old/**' },
            upstream: {
              name: 'legacy',
              strip: '/old',
              prepend: '/v0',
              webSocketOrigins: ['https://shop.test'],
            },
            access: 'anyone',
          },
          {
            match: { path: '/own/**' },
            upstream: { name: 'legacy', keepsAuthorization: true, keepsHost: true },
            access: 'anyone',
          },
          {
            match: { path: '/members/**' },
            upstream: { name: 'legacy', bodyBytesMax: 10 },
            access: 'user',
            roles: ['member'],
          },
          {
            match: { path: '/marked/**' },
            upstream: { name: 'legacy' },
            access: 'anyone',
            headers: { set: { 'X-Mark': 'yes' }, remove: ['X-More'] },
          },
          { match: { path: '/shaky/**' }, upstream: { name: 'shaky' }, access: 'anyone' },
          { match: { path: '/gone/**' }, upstream: { name: 'gone' }, access: 'anyone' },
          { match: { path: '/half/**' }, upstream: { name: 'half' }, access: 'anyone' },
          { match: { path: '/api/v1/things/old' }, upstream: { name: 'legacy' }, access: 'anyone' },
        ],
      }
      writeFileSync(path, JSON.stringify({ gateway: policies }))
      return openTestGateway(t, environment)
    },
    { FLOTILLA_POLICIES: path },
  )
  after(() => {
    for (const { server } of opened) server.close().closeAllConnections()
    rmSync(folder, { recursive: true })
  })

  it('is asked anew, and its answer goes back', async () => {
    const { ask } = gateway()
    const answer = await ask('/old/cart?a=1', {
      text: 'body',
      headers: {
        'x-custom': 'yes',
        cookie: 'c=1',
        authorization: 'Bearer nothing',
        'x-forwarded-for': '6.6.6.6',
        'x-user-id': 'root',
        'x-original-url': '/admin',
        connection: 'close, x-custom',
        te: 'trailers',
      },
    })
    assert.equal(answer.status, 401)
    const asked = await ask('/old/cart?a=1', {
      text: 'body',
      headers: {
        'x-custom': 'yes',
        cookie: 'c=1',
        'x-forwarded-for': '6.6.6.6',
        'x-user-id': 'root',
        te: 'trailers',
        forwarded: 'for=me',
      },
    })
    assert.deepEqual([asked.status, asked.text], [200, 'POST /v0/cart?a=1'])
    assert.deepEqual(asked.headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(asked.headers['x-powered-by'], undefined)
    assert.match(String(asked.headers['x-request-id']), /^[0-9a-f]{32}$/)
    const { method, url, headers, body } = legacy().asked.at(-1) ?? assert.fail()
    assert.deepEqual([method, url, body], ['POST', '/v0/cart?a=1', 'body'])
    assert.deepEqual(
      [headers['x-custom'], headers.cookie, headers['x-user-id'], headers['te']],
      ['yes', 'c=1', undefined, undefined],
    )
    assert.deepEqual([headers['x-forwarded-for'], headers.forwarded], ['127.0.0.1', undefined])
    assert.equal(headers.host, new URL(legacy().origin).host)
    assert.equal(headers['x-request-id'], asked.headers['x-request-id'])
    assert.match(String(headers['traceparent']), /^00-[0-9a-f]{32}-/)
  })

  it('says what it says of keeping it and of cookies, whatever the operator adds', async () => {
    const { ask } = gateway()
    assert.equal((await ask('/old/secret')).headers['cache-control'], 'private, no-store')
    const marked = await ask('/marked/x')
    assert.deepEqual(
      [marked.headers['set-cookie'], marked.headers['x-mark'], marked.headers['x-more']],
      [['a=1', 'b=2'], 'yes', undefined],
    )
  })

  it('is asked for the path beneath its own, however it is written', async () => {
    const { ask } = gateway()
    for (const path of ['/old/cart', '/%6fld/cart', '/o%6Cd/cart'])
      assert.equal((await ask(path)).text, 'GET /v0/cart')
    assert.equal((await ask('/old')).text, 'GET /v0')
    assert.equal((await ask('/older/cart')).status, 404)
  })

  it('gives whatever it gives: long ones, parts, nothing, other statuses, heads', async () => {
    const { ask } = gateway()
    const long = await ask('/old/long')
    assert.deepEqual([long.text.length, long.headers['content-length']], [LONG.length, String(LONG.length)])
    assert.equal((await ask('/old/parts')).text, 'onetwothree')
    assert.deepEqual([(await ask('/old/none')).status, (await ask('/old/teapot')).status], [204, 418])
    const lengthOf = async (path: string): Promise<unknown[]> => {
      const { status, text, headers } = await ask(path, { method: 'HEAD' })
      return [status, text, headers['content-length'], headers['transfer-encoding']]
    }
    assert.deepEqual(await lengthOf('/old/long'), [200, '', String(LONG.length), undefined])
    assert.deepEqual(await lengthOf('/old/short'), [200, '', '5', undefined])
    assert.deepEqual(await lengthOf('/old/parts'), [200, '', undefined, undefined])
    assert.deepEqual(await lengthOf('/old/none'), [204, '', undefined, undefined])
  })

  it('checks authorization itself where that is said, and otherwise is told who asks', async () => {
    const { ask, token } = gateway()
    assert.equal((await ask('/own/x', { headers: { authorization: 'Basic abc' } })).status, 200)
    const { headers } = legacy().asked.at(-1) ?? assert.fail()
    assert.deepEqual([headers.authorization, headers.host], ['Basic abc', `127.0.0.1:${gateway().port}`])
    const asMember = async (roles: string[]): Promise<number> =>
      (await ask('/members/x', { headers: { authorization: `Bearer ${await token('anna', { roles })}` } }))
        .status
    assert.deepEqual([(await ask('/members/x')).status, await asMember(['user'])], [401, 403])
    assert.equal(await asMember(['member', 'user']), 200)
    const its = legacy().asked.at(-1)?.headers ?? {}
    assert.deepEqual(
      [its['x-user-id'], its['x-user-roles'], its.authorization],
      ['anna', 'member,user', undefined],
    )
    const authorization = `Bearer ${await token('anna', { roles: ['member'] })}`
    assert.equal((await ask('/members/x', { text: 'x'.repeat(11), headers: { authorization } })).status, 413)
  })

  it('is asked elsewhere when one does not answer, and is told as 502 when none does', async () => {
    const { ask, accessLog } = gateway()
    for (let turn = 0; turn < 12; turn++) assert.equal((await ask('/shaky/x')).status, 200)
    const gone = await ask('/gone/x')
    assert.deepEqual([gone.status, gone.headers['content-type']], [502, 'application/problem+json'])
    await until('it is logged', () =>
      accessLog().some(({ upstream, status }) => upstream === 'gone' && status === 502),
    )
    // What was begun and not ended must not look whole.
    await assert.rejects(ask('/half/x'))
    assert.equal(halves, 1)
  })

  it('takes single routes of an operation', async () => {
    const { ask } = gateway()
    assert.equal((await ask('/api/v1/things/old')).text, 'GET /api/v1/things/old')
    assert.deepEqual((await ask('/api/v1/things/new')).body, { id: 'new', version: 3 })
    assert.equal((await ask('/neither')).status, 404)
  })

  it('speaks WebSocket with whom it may', async () => {
    const handshake = (origin: string, at = '/old/chat'): string =>
      `GET ${at} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: ${origin}\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n`
    const { raw, port } = gateway()
    assert.match(await raw(handshake('https://evil.test')), /^HTTP\/1\.1 403 /)
    assert.match(await raw(handshake('https://shop.test', '/own/chat')), /^HTTP\/1\.1 501 /)
    assert.match(await raw(handshake('https://shop.test', '/api/v1/things')), /^HTTP\/1\.1 501 /)
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1')
    })
    // The first message follows at once.
    socket.write(`${handshake('https://shop.test')}hello`)
    await until('it comes back', () => text.endsWith('hello'))
    assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
    assert.match(text, /sec-websocket-accept: abc\r\n/)
    socket.write(' again')
    await until('the next comes back', () => text.endsWith('hello again'))
    assert.equal(legacy().asked.at(-1)?.url, '/v0/chat')
    socket.end()
    await until('it is over', () => socket.destroyed)
  })
})
