import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isRoute, parseRest } from './route.ts'

describe('parseRest', () => {
  it('parseRest reads routes, fills in what is not said, and gives a body to commands that are no DELETE', () => {
    assert.deepEqual(parseRest('GET /a/{id}/b/{key}', false), {
      method: 'GET',
      path: '/a/{id}/b/{key}',
      parameters: ['id', 'key'],
      status: 200,
      hasBody: false,
      isAtRoot: false,
      ifMatch: undefined,
      prefer: undefined,
      acceptedWhile: undefined,
      etag: undefined,
      browsing: undefined,
      provenKey: undefined,
    })
    const options = { route: 'DELETE /a', status: 204, ifMatch: 'v', etag: 'w', isAtRoot: true }
    const { status, hasBody, isAtRoot, ifMatch, etag } = parseRest(options, true)
    assert.deepEqual([status, hasBody, isAtRoot, ifMatch, etag], [204, false, true, 'v', 'w'])
    assert.equal(parseRest('POST /a', true).hasBody, true)
    const acceptedWhile = { field: 'status', value: 'pending' }
    const waited = parseRest({ route: 'POST /a', prefer: 'waitS', acceptedWhile }, true)
    assert.deepEqual([waited.prefer, waited.acceptedWhile], ['waitS', acceptedWhile])
  })

  it('parseRest refuses what is not a route, as isRoute says', () => {
    for (const route of [
      '',
      'GET',
      'GET a',
      'get /a',
      'GET  /a',
      'HEAD /a',
      'GET /a?b',
      'GET /ä',
      'GET /{',
      'GET /{a',
    ]) {
      assert.equal(isRoute(route), false, route)
      assert.throws(() => parseRest(route, false), { code: 'invalid_argument' }, route)
    }
    for (const route of ['GET /', 'GET /.well-known/jwks.json', 'PATCH /a/{id}.json'])
      assert.equal(isRoute(route), true)
  })
})
