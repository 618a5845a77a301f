import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import type { Answer, Ask } from './open-gateway.test.ts'
import { askOn, openSecureGateway, sharedSecureGateway } from './open-secure-gateway.test.ts'

const ORIGIN = 'https://shop.test'
const JSON_TYPE = { 'content-type': 'application/json' }
/** Of an answer, not of what is answered. */
const VARYING = new Set(['date', 'x-request-id', 'traceparent', 'connection', 'keep-alive'])

/** What is asked of both; `Bearer` stands for a token. */
const asks: readonly (readonly [path: string, ask?: Ask])[] = [
  ['/api/v1/things/t1'],
  ['/api/v1/things'],
  ['/api/v1/things?limit=5&isNew=true&tag=a%20b&tag=c+d'],
  ['/api/v1/things?limit=500&isNew=perhaps'],
  ['/api/v1/things?limit=1&limit=2'],
  ['/api/v1/things', { headers: { authorization: 'Bearer' } }],
  ['/api/v1/home'],
  ['/api/v1/nothing'],
  ['//things'],
  ['/api/v1/a/../things'],
  ['/api/v1/things/a%2fb'],
  ['/api/v1/things/%ff'],
  ['/api/v1/things/a|b'],
  ['/api/v1/things', { method: 'PATCH' }],
  ['/api/v1/things', { method: 'BREW' }],
  ['/api/v1/things', { headers: { 'x-http-method-override': 'DELETE' } }],
  ['/api/v1/things', { headers: { x_a: '1' } }],
  ['/api/v1/echo', { method: 'GET' }],
  ['/api/v1/watch', { method: 'HEAD' }],
  ['/api/v1/things/t1', { method: 'HEAD' }],
  ['/api/v1/things', { method: 'OPTIONS' }],
  ['/api/v1/fail'],
  ['/api/v1/fail?isAway=true'],
  ['/api/v1/me'],
  ['/api/v1/me', { headers: { authorization: 'Bearer a.b.c' } }],
  ['/api/v1/me', { headers: { authorization: 'Basic YTpi' } }],
  ['/api/v1/me', { headers: { 'x-api-key': 'wrong' } }],
  ['/api/v1/things/t1', { method: 'DELETE', headers: { authorization: 'Bearer' } }],
  ['/api/v1/things/t1', { method: 'GET', text: 'a' }],
  ['/api/v1/echo', { json: { text: 'ü€😀' } }],
  ['/api/v1/echo', { text: '', headers: JSON_TYPE }],
  ['/api/v1/echo', { text: '{"text":', headers: JSON_TYPE }],
  ['/api/v1/echo', { text: '{"text":1}', headers: JSON_TYPE }],
  ['/api/v1/echo', { text: '{"__proto__":{}}', headers: JSON_TYPE }],
  ['/api/v1/echo', { text: '{"text":"a"}' }],
  ['/api/v1/echo', { text: '{"text":"a"}', headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }],
  ['/api/v1/echo', { text: `{"text":"${'a'.repeat(1024 * 1024 - 11)}"}`, headers: JSON_TYPE }],
  ['/api/v1/echo', { text: `{"text":"${'a'.repeat(1024 * 1024)}"}`, headers: JSON_TYPE }],
  ['/api/v1/echo', { json: { text: 'a' }, headers: { expect: '200-ok' } }],
  ['/api/v1/things/t1', { headers: { origin: ORIGIN } }],
  [
    '/api/v1/things/t1',
    { method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'PUT' } },
  ],
  ['/api/v1/things/t1', { headers: { origin: 'https://evil.test' } }],
  ['/api/v1/things/t1', { headers: { 'if-none-match': '*' } }],
  ['/api/v1/things/t1', { method: 'PUT', json: {}, headers: { authorization: 'Bearer' } }],
  [
    '/api/v1/things/t1',
    { method: 'PUT', json: {}, headers: { authorization: 'Bearer', 'if-match': '"3-AAAAAAAA"' } },
  ],
  ['/api/v1/wait', { json: {}, headers: { prefer: 'wait=10' } }],
  ['/api/v1/wait', { json: { text: 'lose' } }],
  [
    '/api/v1/things',
    { json: { id: 't1' }, headers: { authorization: 'Bearer', 'idempotency-key': 'a'.repeat(256) } },
  ],
  ['/health'],
  ['/ready'],
  ['/docs'],
  ['/'],
]

/** What must be the same. */
function essence({ status, headers, text }: Answer): unknown {
  const kept = Object.entries(headers).filter(([name]) => !VARYING.has(name))
  return {
    status,
    headers: Object.fromEntries(kept.sort()),
    text: text.replace(/"traceId":"[0-9a-f]{32}"/, ''),
  }
}

describe('HTTP/2', () => {
  const gateway = sharedSecureGateway({ GATEWAY_CORS_ORIGINS: `${ORIGIN},https://other.test` })

  it('gives the answers of HTTP/1.1', async () => {
    const { ask, token, session } = gateway()
    const opened = session()
    const authorization = `Bearer ${await token('u1')}`
    for (const [path, { headers = {}, ...rest } = {}] of asks) {
      const isKnown = headers['authorization'] === 'Bearer'
      const its: Ask = { ...rest, headers: { ...headers, ...(isKnown && { authorization }) } }
      const [one, two] = await Promise.all([ask(path, its, { protocol: 'h1' }), askOn(opened, path, its)])
      assert.deepEqual(essence(two), essence(one), `${path} ${JSON.stringify(its).slice(0, 200)}`)
      assert.equal(one.headers['strict-transport-security'], 'max-age=31536000')
    }
    opened.destroy()
  })

  it('sends a stream as it comes, and tells the service when the client takes it back', async () => {
    const { session, held } = gateway()
    const opened = session()
    const before = held.length
    const stream = opened.request({ ':path': '/api/v1/watch' })
    let text = ''
    stream.on('data', (chunk) => {
      text += String(chunk)
    })
    // It is taken back.
    stream.on('error', () => {})
    await until('the first item is there', () => text.includes('{"count":1}'))
    await until('the second is waited for', () => held.length > before)
    const its = held.at(-1)
    stream.close(8)
    await until('the service hears of it', () => its?.ctx.signal.aborted === true)
    its?.letGo()
    const again = opened.request({ ':path': '/api/v1/watch' })
    let rest = ''
    let isEnded = false
    again.on('data', (chunk) => {
      rest += String(chunk)
    })
    again.on('end', () => {
      isEnded = true
    })
    await until('the second is waited for', () => held.length > before + 1)
    held.at(-1)?.letGo()
    await until('it ends', () => isEnded)
    assert.match(rest, /"count":2.*event: end/s)
    opened.destroy()
  })

  it('answers many at once, whatever their order, and what is begun when the gateway leaves', async (t) => {
    const { session, held, calls, app, accessLog } = await openSecureGateway(t)
    const opened = session()
    let isGoing = false
    opened.on('goaway', () => {
      isGoing = true
    })
    const slow = new Promise<string>((resolve) => {
      let text = ''
      opened
        .request({ ':path': '/api/v1/hold' })
        .on('data', (chunk) => {
          text += String(chunk)
        })
        .on('close', () => resolve(text))
    })
    await until('the call has begun', () => calls.includes('hold'))
    const statuses = await Promise.all(
      Array.from({ length: 50 }, () => {
        const stream = opened.request({ ':path': '/api/v1/things/t1' })
        stream.resume()
        return new Promise((resolve) => stream.on('response', (head) => resolve(head[':status'])))
      }),
    )
    assert.deepEqual(new Set(statuses), new Set([200]))
    const closed = app.hostOf('gateway').close()
    await until('the client is told', () => isGoing)
    held.at(-1)?.letGo()
    assert.equal(await slow, '{}')
    await closed
    const line = accessLog().find(({ path }) => path === '/api/v1/things/t1')
    assert.deepEqual([line?.['protocol'], line?.['tls']], ['h2', 'TLSv1.3'])
  })
})
