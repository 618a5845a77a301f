import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sharedGateway } from './open-gateway.test.ts'

const ORIGIN = 'https://shop.test'

describe('The edge', () => {
  const gateway = sharedGateway({ GATEWAY_CORS_ORIGINS: `${ORIGIN},https://other.test` })

  it('serves the routes of contracts', async () => {
    const { ask, token } = gateway()
    const { status, headers, body } = await ask('/api/v1/things/t1')
    assert.deepEqual([status, body], [200, { id: 't1', version: 3 }])
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal((await ask('/api/v1/things')).headers['cache-control'], 'public, max-age=60')
    const known = { headers: { authorization: `Bearer ${await token('u1')}` } }
    assert.equal((await ask('/api/v1/things', known)).headers['cache-control'], 'private, max-age=60')
    assert.equal((await ask('/api/v1/home')).status, 200)
  })

  it('says 404 for what is not there and 405 with Allow for a method that is not taken', async () => {
    const { ask, calls } = gateway()
    const before = calls.length
    for (const path of [
      '/api/v1/nothing',
      '/api/v2/things',
      '/api/v1/things/a/b',
      '/api/v1/Things',
      '//things',
    ]) {
      const { status, body } = await ask(path)
      assert.deepEqual([path, status, body['code']], [path, 404, 'not_found'])
    }
    const cases = [
      ['PATCH', '/api/v1/things', 'OPTIONS, HEAD, GET, POST'],
      ['POST', '/api/v1/things/t1', 'OPTIONS, HEAD, GET, PUT, DELETE'],
      ['GET', '/api/v1/echo', 'OPTIONS, POST'],
      ['POST', '/health', 'OPTIONS, HEAD, GET'],
      ['HEAD', '/api/v1/watch', 'OPTIONS, GET'],
    ] as const
    for (const [method, path, allow] of cases) {
      const { status, headers } = await ask(path, { method })
      assert.deepEqual([method, path, status, headers.allow], [method, path, 405, allow])
    }
    assert.equal(calls.length, before)
  })

  it('answers errors as problems that tell nothing of the inside', async () => {
    const { ask } = gateway()
    const { status, headers, text, body } = await ask('/api/v1/fail')
    assert.equal(status, 500)
    assert.equal(headers['content-type'], 'application/problem+json')
    assert.deepEqual(Object.keys(body), ['type', 'title', 'status', 'code', 'detail', 'traceId'])
    assert.equal(body['status'], 500)
    assert.equal(headers['traceparent']?.slice(3, 35), body['traceId'])
    assert.doesNotMatch(text, /secret|TypeError|\.ts/)
    const away = await ask('/api/v1/fail?isAway=true')
    assert.deepEqual([away.status, away.headers['retry-after']], [503, '1'])
    assert.doesNotMatch(away.text, /secret/)
    const anonymous = await ask('/api/v1/me')
    assert.deepEqual([anonymous.status, anonymous.headers['www-authenticate']], [401, 'Bearer'])
  })

  it('refuses bodies that are not the JSON of the contract', async () => {
    const { ask, calls } = gateway()
    const before = calls.length
    const json = { 'content-type': 'application/json' }
    const cases: readonly (readonly [number, string | Uint8Array, Readonly<Record<string, string>>])[] = [
      [400, '{"text":', json],
      [400, '"text"', json],
      [400, '[]', json],
      [400, '{"text":1}', json],
      [400, '{"text":"a","more":1}', json],
      [400, '{"__proto__":{}}', json],
      [400, `${'['.repeat(40)}${']'.repeat(40)}`, json],
      [400, Buffer.from('{"text":"\xff"}', 'latin1'), json],
      [400, '\ufeff{"text":"a"}', json],
      [415, '{"text":"a"}', {}],
      [415, '{"text":"a"}', { 'content-type': 'text/plain' }],
      [415, '{"text":"a"}', { 'content-type': 'application/json; charset=latin1' }],
      [415, 'text=a', { 'content-type': 'application/x-www-form-urlencoded' }],
      [415, '{"text":"a"}', { ...json, 'content-encoding': 'gzip' }],
    ]
    for (const [wanted, text, headers] of cases) {
      const { status, headers: its } = await ask('/api/v1/echo', { text, headers })
      assert.deepEqual(
        [text, status, its['content-type']],
        [text, wanted, 'application/problem+json'],
        String(text),
      )
    }
    assert.equal(calls.length, before)
    const utf8 = { 'content-type': 'Application/JSON;charset="UTF-8"' }
    assert.deepEqual((await ask('/api/v1/echo', { text: '{"text":"ü€😀"}', headers: utf8 })).body, {
      text: 'ü€😀',
    })
  })

  it('names every wrong field, and refuses unknown ones', async () => {
    const { ask } = gateway()
    const { status, body } = await ask('/api/v1/things?limit=500&isNew=perhaps')
    assert.equal(status, 400)
    const pointers = (body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer)
    assert.deepEqual(pointers.sort(), ['/isNew', '/limit'])
    for (const search of ['more=1', 'limit=1&limit=2', 'limit=1e1', 'limit=', '__proto__=1', 'limit=0x10']) {
      assert.equal((await ask(`/api/v1/things?${search}`)).status, 400, search)
    }
  })

  it('reads query strings as the schema wants them', async () => {
    const { ask } = gateway()
    const { body } = await ask('/api/v1/things?limit=5&isNew=true&tag=a%20b&tag=c+d')
    assert.deepEqual(body, { asked: { limit: 5, isNew: true, tag: ['a b', 'c d'] } })
  })

  it('answers 413 to a body that is too long, however it is announced', async () => {
    const { port, ask, raw, calls } = gateway()
    const before = calls.length
    const head = `POST /api/v1/echo HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n`
    assert.match(await raw(`${head}content-length: 1048577\r\n\r\n`), /^HTTP\/1\.1 413 .*connection: close/is)
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    const chunked = `${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(16)}1\r\n \r\n`
    assert.match(await raw(chunked), /^HTTP\/1\.1 413 .*connection: close/is)
    assert.equal(calls.length, before)
    const text = `{"text":"${'a'.repeat(1024 * 1024 - 11)}"}`
    const headers = { 'content-type': 'application/json' }
    assert.equal((await ask('/api/v1/echo', { text, headers })).status, 200)
  })

  it('lets scripts of listed origins in, and no others', async () => {
    const { ask } = gateway()
    const preflight = { 'access-control-request-method': 'PUT', origin: ORIGIN }
    const allowed = await ask('/api/v1/things/t1', { method: 'OPTIONS', headers: preflight })
    assert.equal(allowed.status, 204)
    assert.equal(allowed.headers['access-control-allow-origin'], ORIGIN)
    assert.equal(allowed.headers['access-control-allow-methods'], 'OPTIONS, HEAD, GET, PUT, DELETE')
    assert.match(allowed.headers['access-control-allow-headers'] ?? '', /Authorization.*Idempotency-Key/)
    const answer = await ask('/api/v1/things/t1', { headers: { origin: ORIGIN } })
    assert.equal(answer.headers['access-control-allow-origin'], ORIGIN)
    assert.match(answer.headers['access-control-expose-headers'] ?? '', /ETag/)
    for (const origin of ['https://evil.test', 'null', `${ORIGIN}.evil.test`, 'https://SHOP.test']) {
      for (const method of ['OPTIONS', 'GET']) {
        const headers = { ...preflight, origin }
        const refused = await ask('/api/v1/things/t1', { method, headers })
        const names = Object.keys(refused.headers).filter((name) => name.startsWith('access-control'))
        assert.deepEqual([origin, names], [origin, []])
      }
    }
    assert.equal((await ask('/api/v1/things')).headers.vary, 'Origin')
    assert.equal(allowed.headers['access-control-allow-credentials'], undefined)
  })

  it('keeps a sane request id and makes one for others', async () => {
    const { ask, token } = gateway()
    const authorization = `Bearer ${await token('u1')}`
    const kept = await ask('/api/v1/me', { headers: { authorization, 'x-request-id': 'order-7/a' } })
    assert.equal(kept.headers['x-request-id'], 'order-7/a')
    assert.equal(kept.body['requestId'], 'order-7/a')
    for (const id of ['', 'two words', 'a'.repeat(129), 'ü']) {
      const { status, headers } = await ask('/api/v1/me', { headers: { authorization, 'x-request-id': id } })
      assert.equal(status, 200)
      assert.match(String(headers['x-request-id']), /^[0-9a-f]{32}$/)
    }
  })

  it('starts a trace of its own, whose root span is the request', async () => {
    const { ask, app } = gateway()
    const theirs = '0af7651916cd43dd8448eb211c80319c'
    const { headers } = await ask('/api/v1/things/t1', {
      headers: { traceparent: `00-${theirs}-b7ad6b7169203331-01` },
    })
    const [, traceId = '', spanId] = String(headers['traceparent']).split('-')
    assert.notEqual(traceId, theirs)
    const spans = app.hostOf('gateway').spans.ofTrace(traceId)
    const root = spans.find(({ parentId }) => parentId === undefined)
    assert.deepEqual([root?.name, root?.kind, root?.code], ['GET /api/v1/things/{id}', 'server', 'ok'])
    assert.equal(root?.spanId, spanId)
    assert.deepEqual(
      spans.filter(({ parentId }) => parentId === root?.spanId).map(({ name, kind }) => [name, kind]),
      [['things.get', 'client']],
    )
    assert.equal(spans.length, 3)
  })

  it('takes no word of the client for who it is', async () => {
    const { ask, token } = gateway()
    const headers = {
      'x-user': 'admin',
      'x-user-id': 'admin',
      'x-tenant': 'other',
      'x-flotilla-user': 'admin',
      'x-flotilla-service': 'auth',
      'flotilla-caller': 'auth',
      'x-criticality': 'critical',
      'x-deadline': '9999999999',
      'x-forwarded-for': '10.0.0.1',
      'x-forwarded-user': 'admin',
      'x-forwarded-host': 'evil.test',
      'x-original-url': '/api/v1/things/other',
      'x-rewrite-url': '/api/v1/things/other',
      forwarded: 'for=10.0.0.1;by=admin',
      'x-client-cert': 'admin',
      baggage: 'user=admin',
    }
    assert.equal((await ask('/api/v1/me', { headers })).status, 401)
    assert.equal((await ask('/api/v1/things/t1', { headers })).body['id'], 't1')
    const authorization = `Bearer ${await token('u1')}`
    const { body } = await ask('/api/v1/me', { headers: { ...headers, authorization } })
    assert.deepEqual(body['user'], { id: 'u1', roles: ['user'], scopes: [], tier: 'free' })
    assert.equal(body['service'], 'gateway')
    const removal = { method: 'DELETE', headers: { ...headers, authorization } }
    assert.equal((await ask('/api/v1/things/t1', removal)).status, 403)
  })

  it('lets users do what the rule of the operation says', async () => {
    const { ask, token, apiKeys } = gateway()
    apiKeys.set('key-that-may-only-read', {
      id: 'u2',
      roles: ['admin'],
      scopes: ['things:read'],
      tier: 'free',
    })
    const remove = (headers: Readonly<Record<string, string>>) =>
      ask('/api/v1/things/t1', { method: 'DELETE', headers })
    assert.equal((await remove({})).status, 401)
    // Before anything of a body is read: 401, not 415.
    assert.equal((await ask('/api/v1/things', { text: 'x' })).status, 401)
    assert.equal((await remove({ authorization: `Bearer ${await token('u1')}` })).status, 403)
    const admin = `Bearer ${await token('u1', { roles: ['admin'] })}`
    const { status, text, headers } = await remove({ authorization: admin })
    assert.deepEqual([status, text, headers['content-length']], [204, '', undefined])
    const key = { 'x-api-key': 'key-that-may-only-read' }
    assert.equal((await ask('/api/v1/me', { headers: key })).status, 200)
    assert.equal((await remove(key)).status, 403)
    assert.equal((await remove({ ...key, authorization: admin })).status, 401)
    assert.equal((await remove({ authorization: 'Basic YTpi' })).status, 401)
  })

  it('answers HEAD as GET without the body, and OPTIONS with what is allowed', async () => {
    const { ask } = gateway()
    const head = await ask('/api/v1/things/t1', { method: 'HEAD' })
    const get = await ask('/api/v1/things/t1')
    assert.deepEqual([head.status, head.text], [200, ''])
    assert.equal(head.headers['content-length'], get.headers['content-length'])
    assert.equal(head.headers.etag, get.headers.etag)
    const options = await ask('/api/v1/things', { method: 'OPTIONS' })
    assert.deepEqual([options.status, options.headers.allow], [204, 'OPTIONS, HEAD, GET, POST'])
    assert.equal((await ask('/nothing', { method: 'OPTIONS' })).status, 404)
    assert.equal((await ask('/health', { method: 'OPTIONS' })).headers.allow, 'OPTIONS, HEAD, GET')
  })

  it('sends nothing again that the client has', async () => {
    const { ask } = gateway()
    const { headers } = await ask('/api/v1/things/t1')
    const current = headers.etag ?? ''
    assert.match(current, /^"3-[\w-]{8}"$/)
    for (const tag of [current, `W/${current}`, `"1", ${current}`, '*']) {
      const {
        status,
        text,
        headers: its,
      } = await ask('/api/v1/things/t1', { headers: { 'if-none-match': tag } })
      assert.deepEqual([tag, status, text, its.etag], [tag, 304, '', current])
    }
    // The same version of other content is another answer.
    for (const tag of ['"1"', '3', '"3"', '"3-AAAAAAAA"', '"33"']) {
      assert.equal((await ask('/api/v1/things/t1', { headers: { 'if-none-match': tag } })).status, 200, tag)
    }
  })

  it('wants If-Match where a change needs it', async () => {
    const { ask, token } = gateway()
    const authorization = `Bearer ${await token('u1')}`
    const put = (headers: Readonly<Record<string, string>>, json: object = {}) =>
      ask('/api/v1/things/t1', { method: 'PUT', json, headers: { authorization, ...headers } })
    assert.equal((await put({})).status, 428)
    const { status, body, headers } = await put({ 'if-match': '"3-AAAAAAAA"' })
    assert.deepEqual([status, body['version']], [200, 4])
    assert.match(headers.etag ?? '', /^"4-[\w-]{8}"$/)
    for (const tag of ['3', 'W/"3"', '*', '"x"', '"3", "4"']) {
      assert.equal((await put({ 'if-match': tag })).status, 400, tag)
    }
    assert.equal((await put({ 'if-match': '"3"' }, { version: 4 })).status, 400)
  })

  it('waits as long as Prefer asks, says so, and says 202 of what has not ended', async () => {
    const { ask } = gateway()
    const wait = async (prefer: string | readonly string[] | undefined, json: object = {}) => {
      const { status, headers, body } = await ask('/api/v1/wait', {
        json,
        headers: prefer === undefined ? {} : { prefer: prefer as string },
      })
      return [status, headers['preference-applied'], body['waitS'] ?? body['reason']]
    }
    assert.deepEqual(await wait(undefined), [202, undefined, 0])
    assert.deepEqual(await wait('wait=0'), [202, 'wait=0', 0])
    assert.deepEqual(await wait('wait=10'), [201, 'wait=10', 10])
    assert.deepEqual(await wait('return=minimal; a="b,c", WAIT = 10'), [201, 'wait=10', 10])
    assert.deepEqual(await wait('wait=31'), [201, 'wait=30', 30])
    assert.deepEqual(await wait(['respond-async', 'wait=10', 'wait=20']), [201, 'wait=10', 10])
    for (const ignored of ['', 'wait', 'wait=', 'wait=-1', 'wait=1.5', 'wait="9"', 'respond-async', '=;,"']) {
      assert.deepEqual(await wait(ignored), [202, undefined, 0], ignored)
    }
    assert.deepEqual(await wait('wait=1', { text: 'lose' }), [402, 'wait=1', 'lost'])
    assert.deepEqual(await wait('wait=1', { waitS: 1 }), [400, undefined, undefined])
  })

  it('runs a command once for one Idempotency-Key', async () => {
    const { ask, token, calls } = gateway()
    const create = async (user: string, key: string | undefined, id = 't1') => {
      const headers = {
        authorization: `Bearer ${await token(user)}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      }
      return ask('/api/v1/things', { json: { id }, headers })
    }
    const count = (): number => calls.filter((name) => name === 'create').length
    assert.equal((await create('u1', undefined)).status, 400)
    assert.equal((await create('u1', 'a'.repeat(256))).status, 400)
    assert.equal(count(), 0)
    const first = await create('u1', 'k1')
    const again = await create('u1', 'k1')
    assert.deepEqual([first.status, again.status, again.body], [201, 201, first.body])
    assert.deepEqual(
      [first.headers['idempotent-replayed'], again.headers['idempotent-replayed'], count()],
      [undefined, 'true', 1],
    )
    const other = await create('u1', 'k1', 'other')
    assert.ok(other.status >= 400 && other.status < 500, `${other.status}`)
    await create('u2', 'k1')
    assert.equal(count(), 2)
  })

  it('shows its pages', async () => {
    const { ask } = gateway()
    assert.deepEqual((await ask('/health')).body, { status: 'ok' })
    assert.deepEqual((await ask('/ready')).body, { status: 'ready' })
    const document = (await ask('/openapi.json')).body
    const paths = Object.keys(document['paths'] as object)
    assert.ok(paths.includes('/api/v1/things/{id}') && paths.includes('/api/v1/home'))
    const docs = await ask('/docs')
    assert.match(docs.headers['content-type'] ?? '', /^text\/html/)
    assert.match(
      String(docs.headers['content-security-policy']),
      /default-src 'none'.*frame-ancestors 'none'/,
    )
    assert.match(docs.text, /Test &lt;API&gt;/)
    assert.doesNotMatch(docs.text, /<script|Test <API>/)
    const root = await ask('/')
    assert.deepEqual([root.status, root.headers.location], [302, '/docs'])
  })
})
