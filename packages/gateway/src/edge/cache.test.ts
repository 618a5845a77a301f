/** The cache as clients see it. Which events change it is the app's to say: see the tests of the shop. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { sharedGateway } from './open-gateway.test.ts'

describe('The cache of the edge', () => {
  const gateway = sharedGateway()

  it('answers from what it keeps: the same bytes, whoever asks, how they write it, and how long ago', async () => {
    const { ask, token, accessLog, app } = gateway()
    const first = await ask('/api/v1/shelves/a?page=1')
    assert.equal(first.headers['cache-status'], 'flotilla; fwd=miss; stored')
    assert.equal(first.headers['cache-control'], 'public, max-age=60')
    assert.equal(first.headers['age'], '0')
    assert.match(String(first.headers.etag), /^"[\w-]{22}"$/)
    const known = { headers: { authorization: `Bearer ${await token('u1')}` } }
    for (const its of [
      await ask('/api/v1/shelves/%61?%70age=1'),
      await ask('/api/v1/shelves/a?page=1', known),
    ]) {
      assert.equal(its.text, first.text)
      assert.match(String(its.headers['cache-status']), /^flotilla; hit; ttl=5\d$/)
      assert.equal(its.headers['cache-control'], 'public, max-age=60')
      assert.equal(its.headers.etag, first.headers.etag)
    }
    assert.equal(first.body['user'], '')
    for (const other of ['/api/v1/shelves/a', '/api/v1/shelves/a?page=2', '/api/v1/shelves/b?page=1'])
      assert.notEqual((await ask(other)).text, first.text)
    const head = await ask('/api/v1/shelves/a?page=1', { method: 'HEAD' })
    assert.deepEqual([head.status, head.text], [200, ''])
    assert.equal(head.headers['content-length'], first.headers['content-length'])
    const same = await ask('/api/v1/shelves/a?page=1', {
      headers: { 'if-none-match': String(first.headers.etag) },
    })
    assert.deepEqual([same.status, same.text], [304, ''])
    assert.deepEqual(
      [same.headers['cache-control'], same.headers.etag, same.headers['age']],
      ['public, max-age=60', first.headers.etag, '0'],
    )
    await until('the log is written', () => accessLog().some((line) => line['status'] === 304))
    const lines = accessLog().filter((line) => line['operation'] === 'things.shelf')
    assert.deepEqual(
      lines.map((line) => line['cache']),
      ['miss', 'hit', 'hit', 'miss', 'miss', 'miss', 'hit', 'hit'],
    )
    assert.match(
      app.hosts[0]?.metrics.toPrometheus() ?? '',
      /flotilla_gateway_cache_requests_total\{operation="things.shelf",how="hit"\} 4/,
    )
  })

  it('asks as nobody, also when somebody known comes first, and passes by for those who see more', async () => {
    const { ask, token } = gateway()
    const as = async (id: string, claims = {}) => ({
      headers: { authorization: `Bearer ${await token(id, claims)}` },
    })
    const mine = await ask('/api/v1/shelves/mine', await as('ann'))
    assert.equal(mine.body['user'], '', 'nothing of hers can be in it')
    const admins = await ask('/api/v1/shelves/mine', await as('boss', { roles: ['admin'] }))
    assert.equal(admins.body['user'], 'boss')
    assert.equal(admins.headers['cache-control'], 'private, max-age=60')
    assert.equal(admins.headers['cache-status'], 'flotilla; fwd=bypass')
    assert.equal((await ask('/api/v1/shelves/mine')).text, mine.text)
  })

  it('still counts, authenticates and checks what is answered from it', async () => {
    const { ask } = gateway()
    await ask('/api/v1/shelves/checked')
    const forged = await ask('/api/v1/shelves/checked', { headers: { authorization: 'Bearer a.b.c' } })
    assert.equal(forged.status, 401)
    const unknown = await ask('/api/v1/shelves/checked?page=x')
    assert.equal(unknown.status, 400)
    assert.equal((await ask('/api/v1/shelves/checked?pages=1')).status, 400)
    assert.equal(
      (await ask('/api/v1/shelves/x', { headers: { 'cache-control': 'only-if-cached' } })).status,
      504,
    )
  })

  it('asks once for those who come together, and stops when the last of them hangs up', async () => {
    const { ask, held, calls } = gateway()
    const before = calls.filter((name) => name === 'shelf').length
    const [first, second] = [ask('/api/v1/shelves/held'), ask('/api/v1/shelves/held')]
    await until('it was asked for', () => held.length > 0)
    const third = ask('/api/v1/shelves/held')
    held[0]?.letGo()
    const answers = await Promise.all([first, second, third])
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1)
    assert.equal(calls.filter((name) => name === 'shelf').length, before + 1)
    assert.equal(
      answers.filter(({ headers }) => /collapsed|hit/.test(String(headers['cache-status']))).length,
      2,
    )
  })

  it('forgets what a command has changed, and nothing else', async () => {
    const { ask, token } = gateway()
    const [changed, other] = [await ask('/api/v1/shelves/c1'), await ask('/api/v1/shelves/c2')]
    const headers = { authorization: `Bearer ${await token('u1')}` }
    const put = await ask('/api/v1/shelves/c1', { method: 'PUT', headers, json: {} })
    assert.equal(put.status, 204)
    assert.notEqual((await ask('/api/v1/shelves/c1')).text, changed.text)
    assert.equal((await ask('/api/v1/shelves/c2')).text, other.text)
    const refused = await ask('/api/v1/shelves/c2', { method: 'PUT', json: {} })
    assert.equal(refused.status, 401)
    assert.equal((await ask('/api/v1/shelves/c2')).text, other.text)
  })
})

describe('A gateway without a cache', () => {
  const gateway = sharedGateway({ GATEWAY_CACHE_BYTES_MAX: '0' })

  it('asks every time', async () => {
    const { ask } = gateway()
    const [first, second] = [await ask('/api/v1/shelves/a'), await ask('/api/v1/shelves/a')]
    assert.notEqual(first.text, second.text)
    assert.equal(first.headers['cache-status'], undefined)
  })
})
