import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { connect, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { until } from '@flotilla/core/until'
import { openTestGateway, sharedGateway, type TestGateway } from './open-gateway.test.ts'

/** A connection that is kept, and what has come over it. */
interface Connection {
  readonly socket: Socket
  readonly text: () => string
}

function open(t: TestContext, { port }: TestGateway): Connection {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  // Cut connections are what some of these tests are about.
  socket.on('error', () => {})
  return { socket, text: () => text }
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: gateway.test\r\n\r\n`
}

describe('A gateway whose event loop is late', () => {
  it('refuses what matters least before it looks at who asks, serves the rest, and is soon as before', async (t) => {
    const { ask, app } = await openTestGateway(t)
    const guess = async (): Promise<number> => (await ask('/api/v1/guess')).status
    assert.equal(await guess(), 401)
    await until('it refuses', async () => {
      const endMs = Date.now() + 120
      while (Date.now() < endMs);
      return (await guess()) === 503
    })
    assert.equal((await ask('/api/v1/things')).status, 200)
    const { metrics } = app.hostOf('gateway')
    await until('it is in time', () => metrics.toPrometheus().includes('flotilla_shedding_level 0\n'))
    assert.equal(await guess(), 401)
  })
})

describe('A rate limit', () => {
  it('bounds an address without login, whatever X-Forwarded-For it sends', async (t) => {
    const { ask, calls, token } = await openTestGateway(t, {
      GATEWAY_ANONYMOUS_PER_MINUTE: '3',
      GATEWAY_FREE_PER_MINUTE: '2',
      GATEWAY_PREMIUM_PER_MINUTE: '4',
    })
    const statuses: number[] = []
    for (let index = 0; index < 5; index++) {
      const headers = { 'x-forwarded-for': `10.0.0.${index}`, forwarded: `for=10.0.0.${index}` }
      statuses.push((await ask('/api/v1/things', { headers })).status)
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 429])
    assert.equal(calls.length, 3)
    const { headers, body } = await ask('/api/v1/things')
    assert.ok(Number(headers['retry-after']) >= 1 && Number(headers['retry-after']) <= 20)
    assert.equal(headers['ratelimit-policy'], '"anonymous";q=3;w=60')
    assert.match(String(headers['ratelimit']), /^"anonymous";r=0;t=\d+$/)
    assert.equal(body['code'], 'resource_exhausted')
    assert.equal((await ask('/health')).status, 200)

    // Users have limits of their own, by tier, however many tokens they have.
    const of = async (id: string, claims: object): Promise<number[]> => {
      const its: number[] = []
      for (let index = 0; index < 5; index++) {
        const authorization = `Bearer ${await token(id, { ...claims, jti: `${index}` })}`
        its.push((await ask('/api/v1/me', { headers: { authorization } })).status)
      }
      return its
    }
    assert.deepEqual(await of('u1', { tier: 'free' }), [200, 200, 429, 429, 429])
    assert.deepEqual(await of('u2', { tier: 'premium' }), [200, 200, 200, 200, 429])
    assert.deepEqual(await of('u3', { tier: 'enterprise' }), [200, 200, 200, 200, 200])
    assert.deepEqual(await of('u4', { roles: ['admin'] }), [200, 200, 200, 200, 200])
  })

  it('bounds an address before its credentials are looked at', async (t) => {
    const { ask } = await openTestGateway(t, { GATEWAY_ADDRESS_PER_MINUTE: '3' })
    const headers = { authorization: 'Bearer a.b.c' }
    const statuses: number[] = []
    for (let index = 0; index < 5; index++) statuses.push((await ask('/api/v1/me', { headers })).status)
    assert.deepEqual(statuses, [401, 401, 401, 429, 429])
  })

  it('believes the last hop that a trusted proxy names, and counts guesses by address and by account', async (t) => {
    const { ask, accessLog, app } = await openTestGateway(t, {
      GATEWAY_TRUSTED_PROXIES: '127.0.0.1',
      GATEWAY_ANONYMOUS_PER_MINUTE: '2',
      GATEWAY_STRICT_PER_MINUTE: '2',
    })
    const list = async (forwarded: string): Promise<number> =>
      (await ask('/api/v1/things', { headers: { 'x-forwarded-for': forwarded } })).status
    const spoofed = [
      await list('1.1.1.1, 9.9.9.9'),
      await list('2.2.2.2,9.9.9.9'),
      await list('3.3.3.3, 9.9.9.9'),
    ]
    assert.deepEqual(spoofed, [200, 200, 429])
    assert.equal(await list('9.9.9.8'), 200)
    const six = [await list('2001:db8::1'), await list('2001:db8::2'), await list('2001:0DB8:0:0:a::3')]
    assert.deepEqual(six, [200, 200, 429])
    assert.equal(await list('2001:db8:0:1::1'), 200)

    const login = async (from: string, email: string): Promise<number> =>
      (await ask('/api/v1/login', { json: { email }, headers: { 'x-forwarded-for': from } })).status
    const byAccount = [
      await login('5.0.0.1', 'a@b'),
      await login('5.0.0.2', 'a@b'),
      await login('5.0.0.3', 'a@b'),
    ]
    assert.deepEqual(byAccount, [200, 200, 429])
    assert.deepEqual([await login('5.0.0.4', 'c@d'), await login('5.0.0.4', 'e@f')], [200, 200])
    const { headers } = await ask('/api/v1/login', {
      json: { email: 'g@h' },
      headers: { 'x-forwarded-for': '5.0.0.4' },
    })
    assert.equal(headers['ratelimit-policy'], '"anonymous";q=2;w=60')
    await app.hostOf('gateway').close()
    assert.equal(accessLog()[0]?.['client_ip'], '9.9.9.9')
  })
})

describe('An exchange', () => {
  const gateway = sharedGateway()

  it('stops the call when the client hangs up', async (t) => {
    const its = gateway()
    const { socket } = open(t, its)
    const before = its.held.length
    socket.write(get('/api/v1/hold'))
    await until('the call has begun', () => its.held.length > before)
    const held = its.held.at(-1)
    assert.equal(held?.ctx.signal.aborted, false)
    socket.destroy()
    await until('the service hears of it', () => held?.ctx.signal.aborted === true)
    held?.letGo()
  })

  it('sends a stream as it comes, and stops it when the client hangs up', async (t) => {
    const its = gateway()
    const { socket, text } = open(t, its)
    const before = its.held.length
    socket.write(get('/api/v1/watch'))
    await until('the first item is there', () => text().includes('{"count":1}'))
    assert.match(
      text(),
      /^HTTP\/1\.1 200 .*x-request-id: [0-9a-f]{32}.*traceparent: 00-.*nosniff.*text\/event-stream/is,
    )
    await until('the second is waited for', () => its.held.length > before)
    const held = its.held.at(-1)
    socket.destroy()
    await until('the service hears of it', () => held?.ctx.signal.aborted === true)
    held?.letGo()
  })

  it('calls nobody when the client hangs up within its body', async (t) => {
    const its = gateway()
    const { socket } = open(t, its)
    const before = its.calls.length
    const requests = (): string => its.app.hostOf('gateway').metrics.toPrometheus()
    socket.write(
      'POST /api/v1/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    )
    // The head has arrived when a request that came later has been answered.
    await its.ask('/health')
    socket.destroy()
    await until('it is counted', () =>
      /requests_total\{operation="things.echo",status="499"\} 1/.test(requests()),
    )
    assert.equal(its.calls.length, before)
  })
})

describe('The access log', () => {
  it('has none where it is off, nor on standard output', async (t) => {
    const its = await openTestGateway(t, { GATEWAY_ACCESS_LOG: 'off' })
    const { mock } = t.mock.method(fs, 'writeSync')
    syncBuiltinESMExports()
    try {
      assert.equal((await its.ask('/api/v1/things/t1')).status, 200)
      await its.app.hostOf('gateway').close()
    } finally {
      mock.restore()
      syncBuiltinESMExports()
    }
    const written = mock.calls.map((call) => String(call.arguments[1]))
    assert.deepEqual(
      written.filter((text) => text.includes('/api/v1/things/t1')),
      [],
    )
    assert.ok(!fs.existsSync('off'))
  })

  it('loses lines and no requests where the disk is full, and counts them', {
    skip: !fs.existsSync('/dev/full') && 'only Linux has a disk that is always full',
  }, async (t) => {
    const its = await openTestGateway(t, { GATEWAY_ACCESS_LOG: '/dev/full' })
    const host = its.app.hostOf('gateway')
    for (let count = 0; count < 3; count++) assert.equal((await its.ask('/api/v1/things/t1')).status, 200)
    await until('they are counted', () =>
      /^flotilla_gateway_access_log_lost_total 3$/m.test(host.metrics.toPrometheus()),
    )
  })

  it('has a line for every request, and no query string', async (t) => {
    const its = await openTestGateway(t)
    const authorization = `Bearer ${await its.token('u1')}`
    const agent = { 'user-agent': 'test "agent"', 'x-request-id': 'r1' }
    await its.ask('/api/v1/me', { headers: { authorization, ...agent } })
    await its.ask('/api/v1/things?tag=secret', {
      headers: { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-00` },
    })
    await its.ask('/nothing?tag=secret')
    await its.raw(`GET /a/../b?tag=secret HTTP/1.1\r\nHost: a\r\n\r\n`)
    await its.ask('/api/v1/fail?isAway=true')
    await its.app.hostOf('gateway').close()
    const lines = its.accessLog()
    assert.doesNotMatch(JSON.stringify(lines.slice(0, 4)), /secret|Bearer/)
    const [me, list, nothing, refused, away] = lines
    assert.deepEqual(Object.keys(me ?? {}), [
      'level',
      'timestamp',
      'service',
      'instance',
      'message',
      'method',
      'path',
      'operation',
      'status',
      'duration_ms',
      'bytes',
      'client_ip',
      'protocol',
      'user_id',
      'request_id',
      'trace_id',
      'user_agent',
    ])
    const { path, operation, status, client_ip, user_id, request_id, user_agent } = me ?? {}
    assert.deepEqual(
      [path, operation, status, client_ip, user_id, request_id, user_agent],
      ['/api/v1/me', 'things.whoAmI', 200, '127.0.0.1', 'u1', 'r1', 'test "agent"'],
    )
    assert.equal(list?.['path'], '/api/v1/things')
    assert.equal(list?.['parent_trace_id'], '1'.repeat(32))
    assert.deepEqual([nothing?.['status'], nothing?.['code']], [404, 'not_found'])
    assert.deepEqual([refused?.['status'], refused?.['path']], [400, '/a/../b'])
    assert.deepEqual([away?.['status'], away?.['error']], [503, 'The secret store is away.'])
  })
})

describe('Draining', () => {
  it('says so, ends what is in flight, and closes', async (t) => {
    const its = await openTestGateway(t)
    const [inFlight, late, idle, stream] = [open(t, its), open(t, its), open(t, its), open(t, its)]
    inFlight.socket.write(get('/api/v1/hold'))
    // A head that is not complete keeps its connection from being closed as an idle one.
    late.socket.write(get('/ready').slice(0, -2))
    idle.socket.write(get('/ready'))
    await until('the call has begun', () => its.held.length === 1)
    stream.socket.write(get('/api/v1/watch'))
    await until('everything is under way', () => {
      return its.held.length === 2 && idle.text().includes('{"status":"ready"}')
    })
    t.after(() => {
      for (const { letGo } of its.held) letGo()
    })
    const closed = its.app.hostOf('gateway').close()
    await until('it drains', () => its.isDraining())
    await until('the idle connection is closed', () => idle.socket.closed)
    late.socket.write('\r\n')
    await until('readiness is answered', () => late.text().includes('draining'))
    assert.match(late.text(), /^HTTP\/1\.1 503 .*connection: close/is)
    assert.equal(inFlight.text(), '')
    await until('the stream is ended', () => stream.text().includes('event: error'))
    assert.match(stream.text(), /"code":"unavailable"/)
    its.held[0]?.letGo()
    its.held[1]?.letGo()
    await until('the call is answered', () => inFlight.text().includes('{}'))
    assert.match(inFlight.text(), /^HTTP\/1\.1 200 /)
    await closed
    const refused = await its.ask('/health').catch((error: NodeJS.ErrnoException) => error.code)
    assert.equal(refused, 'ECONNREFUSED')
  })

  it('answers those who have not heard, and keeps no connection of theirs', async (t) => {
    const its = await openTestGateway(t, { FLOTILLA_DRAIN_DELAY_MS: '1500' })
    const one = open(t, its)
    one.socket.write(get('/api/v1/things'))
    await until('it is answered', () => one.text().includes('"'))
    void its.app.hostOf('gateway').close()
    await until('it drains', () => its.isDraining())
    one.socket.write(get('/api/v1/things'))
    await until('the connection is closed', () => one.socket.closed)
    assert.match(one.text(), /HTTP\/1\.1 200 .*HTTP\/1\.1 200 .*connection: close/is)
  })
})
