import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openTestGateway } from './test-gateway.ts'

describe('The edge', () => {
  it('serves the routes of contracts', async (t) => {
    const { ask, calls } = await openTestGateway(t)
    const { status, headers, body } = await ask('/api/v1/things/t1')
    assert.deepEqual([status, body], [200, { id: 't1', version: 3 }])
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal((await ask('/api/v1/things')).headers['cache-control'], 'public, max-age=60')
    assert.equal((await ask('/api/v1/home')).status, 200)
    assert.deepEqual(calls, ['get', 'list'])
  })

  it('says 404 for what is not there and 405 with Allow for a method that is not taken', async (t) => {
    const { ask, calls } = await openTestGateway(t)
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
    assert.deepEqual(calls, [])
  })
})
