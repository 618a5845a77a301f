import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { until } from '@flotilla/core/until'
import { openTestGateway, type TestGateway } from './open-gateway.test.ts'

interface Governed extends TestGateway {
  /** Writes the policies, and waits until they are read; says what is wrong with them. */
  govern(gateway: object, isRight?: boolean): Promise<void>
  metrics(): string
}

async function openGoverned(t: TestContext): Promise<Governed> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'policies.json')
  writeFileSync(path, '{}')
  const gateway = await openTestGateway(t, { FLOTILLA_POLICIES: path })
  const metrics = (): string => gateway.app.hostOf('gateway').metrics.toPrometheus()
  let generation = 0
  return {
    ...gateway,
    metrics,
    async govern(policies, isRight = true) {
      const mark = String(++generation)
      const headers = { ...(policies as { headers?: object }).headers, 'x-generation': mark }
      writeFileSync(`${path}.new`, JSON.stringify({ gateway: isRight ? { ...policies, headers } : policies }))
      renameSync(`${path}.new`, path)
      await until('the policies are read', async () => {
        if (!isRight) return metrics().includes('\nflotilla_policies_refused 1\n')
        return (await gateway.ask('/health')).headers['x-generation'] === mark
      })
    },
  }
}

const path = '/api/v1/things/{id}'

describe('Policies of the edge', { timeout: 60_000 }, () => {
  it('hold for requests that match, and are followed while the gateway serves', async (t) => {
    const { ask, govern, token } = await openGoverned(t)
    const statusOf = async (at: string, headers = {}): Promise<number> => (await ask(at, { headers })).status
    assert.equal(await statusOf('/api/v1/things/a'), 200)
    await govern({
      routes: [
        { match: { path }, refuse: { status: 503, detail: 'Being repaired.', retryAfterS: 7 } },
        {
          match: { path, headers: { 'X-Tester': '*' } },
          headers: { set: { 'X-Seen': 'yes' }, remove: ['etag'] },
        },
        { match: { path: '/api/v1/things/b' }, roles: ['tester'] },
        { match: { path: '/api/v1/**', query: { debug: '1' } }, refuse: { status: 404 } },
      ],
    })
    const refused = await ask('/api/v1/things/a')
    assert.deepEqual(
      [refused.status, refused.headers['retry-after'], refused.body['detail']],
      [503, '7', 'Being repaired.'],
    )
    // An escape is no way around.
    assert.equal(await statusOf('/api/v1/%74hings/a'), 503)
    const tester = await ask('/api/v1/things/a', { headers: { 'x-tester': 'me' } })
    assert.deepEqual([tester.status, tester.headers['x-seen'], tester.headers.etag], [200, 'yes', undefined])
    assert.equal(await statusOf('/api/v1/things/b'), 401)
    assert.equal(await statusOf('/api/v1/things/b', { authorization: `Bearer ${await token('anna')}` }), 403)
    const hers = await token('tara', { roles: ['user', 'tester'] })
    assert.equal(await statusOf('/api/v1/things/b', { authorization: `Bearer ${hers}` }), 200)
    assert.equal(await statusOf('/api/v1/things?debug=1'), 404)
    assert.equal(await statusOf('/api/v1/things'), 200)
    await govern({})
    assert.equal(await statusOf('/api/v1/things/a'), 200)
  })

  it('limit a route by whom they say, and keep what was counted when others change', async (t) => {
    const { ask, govern, token } = await openGoverned(t)
    const routes = [{ match: { path, methods: ['GET'] }, limit: { perMinute: 1, burst: 2, by: 'user' } }]
    await govern({ routes })
    const [anna, boris] = await Promise.all(['anna', 'boris'].map((id) => token(id)))
    const statusOf = async (bearer = anna): Promise<number> =>
      (await ask('/api/v1/things/a', { headers: { authorization: `Bearer ${bearer}` } })).status
    assert.deepEqual([await statusOf(), await statusOf(), await statusOf()], [200, 200, 429])
    assert.equal(await statusOf(boris), 200)
    await govern({ routes, headers: { 'x-other': 'change' } })
    assert.equal(await statusOf(), 429)
    await govern({ limits: { tiers: { free: 1 } } })
    assert.deepEqual([await statusOf(), await statusOf()], [200, 429])
  })

  it('send a share of the requests elsewhere, the same ones every time where that is wanted', async (t) => {
    const { ask, calls, govern, token } = await openGoverned(t)
    const to = [{ operation: 'things.get', weight: 3 }, { operation: 'things.getAnew' }]
    await govern({ routes: [{ match: { path, methods: ['GET'] }, to, sticky: 'user' }] })
    const countOf = (name: string): number => calls.filter((call) => call === name).length
    const askedBy = async (id: string): Promise<number> => {
      const before = countOf('getAnew')
      const authorization = `Bearer ${await token(id)}`
      for (let turn = 0; turn < 3; turn++)
        assert.equal((await ask('/api/v1/things/a', { headers: { authorization } })).status, 200)
      return countOf('getAnew') - before
    }
    const each = await Promise.all(Array.from({ length: 1 }, () => askedBy('u')))
    assert.ok(
      each.every((count) => count === 0 || count === 3),
      `${each}`,
    )
    let anew = 0
    for (let user = 0; user < 40; user++) anew += (await askedBy(`user-${user}`)) / 3
    assert.ok(Number.isInteger(anew) && anew >= 3 && anew <= 20, `${anew} of 40 users`)
    await govern({ routes: [{ match: { path, methods: ['GET'] }, to: [{ operation: 'things.getAnew' }] }] })
    assert.deepEqual((await ask('/api/v1/things/a')).body, { id: 'a', version: 4 })
  })

  it('change bodies on their way, whatever the contract says', async (t) => {
    const { ask, govern } = await openGoverned(t)
    // What is kept is not what the operator wants from now on.
    assert.equal((await ask('/api/v1/shelves/a')).body['changed'], undefined)
    await govern({
      routes: [
        {
          match: { path: '/api/v1/echo' },
          request: [{ rename: { at: '/words', to: 'text' } }, { drop: '/extra' }],
          response: [{ envelope: 'data' }, { add: { at: '/version', value: 2 } }],
        },
        { match: { path }, response: [{ drop: '/version' }] },
        {
          match: { path: '/api/v1/shelves/{id}' },
          response: [{ add: { at: '/changed', value: true } }],
          headers: { set: { 'Cache-Control': 'no-cache' } },
        },
      ],
    })
    const { status, body } = await ask('/api/v1/echo', { json: { words: 'hi', extra: 1 } })
    assert.deepEqual([status, body], [200, { data: { text: 'hi' }, version: 2 }])
    const shelf = await ask('/api/v1/shelves/a')
    assert.deepEqual([shelf.body['changed'], shelf.headers['cache-control']], [true, 'no-cache'])
    const thing = await ask('/api/v1/things/a')
    assert.deepEqual(thing.body, { id: 'a' })
    const again = await ask('/api/v1/things/a', { headers: { 'if-none-match': thing.headers.etag ?? '' } })
    assert.equal(again.status, 304)
  })

  it('ask somebody else the same, and tell whether the answers are', async (t) => {
    const { ask, govern, metrics } = await openGoverned(t)
    await govern({ routes: [{ match: { path, methods: ['GET'] }, mirror: { operation: 'things.getAnew' } }] })
    for (const id of ['same', 'same', 'other'])
      assert.deepEqual((await ask(`/api/v1/things/${id}`)).body, { id, version: 3 })
    const mirrored = (outcome: string, count: number): boolean =>
      metrics().includes(
        `flotilla_gateway_mirrored_total{operation="things.getAnew",outcome="${outcome}"} ${count}`,
      )
    await until('all are compared', () => mirrored('same', 2) && mirrored('different', 1))
  })

  it('enrich answers with what other services know, once each, and tell what could not be had', async (t) => {
    const gateway = await openGoverned(t)
    const { ask, govern, token } = gateway
    await govern({
      routes: [
        {
          match: { path: '/api/v1/echo' },
          request: [{ tell: { at: '/text', of: 'user.id' } }],
          response: [
            { tell: { at: '/by', of: 'address' } },
            { add: { at: '/items', value: [{ id: 'a' }, { id: 'b' }, { id: 'a' }, 5] } },
            { enrich: { at: '/items/*/thing', from: 'things.get', input: { id: 'id' } } },
            { enrich: { at: '/me', from: 'things.whoAmI', input: {} } },
            { rename: { at: '/items/*/thing', to: 'what' } },
          ],
        },
      ],
    })
    const before = gateway.calls.length
    const { body } = await ask('/api/v1/echo', { json: { text: 'root' } })
    const items = [
      { id: 'a', what: { id: 'a', version: 3 } },
      { id: 'b', what: { id: 'b', version: 3 } },
      { id: 'a', what: { id: 'a', version: 3 } },
      5,
    ]
    const partial = [{ part: '/me', reason: 'unauthenticated' }]
    // Nobody in particular asks: a field that is null is no text, and the contract refuses it.
    assert.equal(body['code'], 'invalid_argument')
    const headers = { authorization: `Bearer ${await token('anna')}` }
    const known = await ask('/api/v1/echo', { json: { text: 'root' }, headers })
    const { me, ...others } = known.body
    assert.deepEqual(others, { text: 'anna', by: '127.0.0.1', items })
    assert.equal((me as { user: { id: string } }).user.id, 'anna')
    assert.deepEqual(gateway.calls.slice(before).toSorted(), ['echo', 'get', 'get', 'whoAmI'])
    await govern({
      routes: [
        {
          match: { path: '/api/v1/echo' },
          response: [{ enrich: { at: '/me', from: 'things.whoAmI', input: {} } }],
        },
      ],
    })
    const anonymous = await ask('/api/v1/echo', { json: { text: 'hi' } })
    assert.deepEqual([anonymous.status, anonymous.body], [200, { text: 'hi', me: null, partial }])
  })

  it('let in so many visitors a minute, and keep the places of others', async (t) => {
    const { ask, govern, token, metrics } = await openGoverned(t)
    const routes = [{ match: { path }, waitingRoom: { perMinute: 30, stayS: 60 } }]
    await govern({ routes })
    const as = async (id: string, cookie = '') => {
      const headers = { authorization: `Bearer ${await token(id)}`, ...(cookie && { cookie }) }
      const answer = await ask('/api/v1/things/a', { headers })
      const [given = ''] = answer.headers['set-cookie'] ?? []
      return { ...answer, given, cookie: given.split(';')[0] ?? '' }
    }
    const first = await as('a')
    assert.equal(first.status, 200)
    assert.match(first.given, /^room-[0-9a-f]{8}=p[\w.-]+; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/)
    const second = await as('b')
    assert.equal(second.status, 503)
    assert.equal(second.body['reason'], 'waiting_room')
    assert.match(second.given, /^room-[0-9a-f]{8}=t/)
    const retryAfterS = Number(second.headers['retry-after'])
    assert.ok(retryAfterS >= 1 && retryAfterS <= 2, `${retryAfterS}`)
    assert.equal((await as('a', `x=1; ${first.cookie}; y=2`)).status, 200)
    assert.equal((await as('c', first.cookie)).status, 503)
    assert.equal((await ask('/api/v1/things')).status, 200)
    // Another policy beside it gives nobody another place.
    await govern({ routes: [...routes, { match: { path: '/api/v1/echo' }, refuse: { status: 404 } }] })
    assert.equal((await as('d')).status, 503)
    await until('it is their time', async () => (await as('b', second.cookie)).status === 200)
    // What is for everybody is not, with a pass in it.
    const shelf = { match: { path: '/api/v1/shelves/{id}' } }
    assert.equal((await ask('/api/v1/shelves/full')).headers['cache-control'], 'public, max-age=60')
    await govern({ routes: [{ ...shelf, waitingRoom: { perMinute: 600 } }] })
    const entering = await ask('/api/v1/shelves/full', { headers: { 'accept-encoding': 'br' } })
    assert.equal(entering.headers['cache-control'], 'private, max-age=60')
    assert.equal(entering.headers['content-encoding'], undefined)
    const pass = (entering.headers['set-cookie'] ?? [])[0]?.split(';')[0] ?? ''
    const inside = await ask('/api/v1/shelves/full', { headers: { cookie: pass } })
    assert.equal(inside.headers['cache-control'], 'public, max-age=60')
    await govern({ routes: [{ ...shelf, response: [{ tell: { at: '/for', of: 'address' } }] }] })
    const told = await ask('/api/v1/shelves/full')
    assert.deepEqual([told.body['for'], told.headers['cache-control']], ['127.0.0.1', 'private, max-age=60'])
    assert.match(metrics(), /flotilla_gateway_waiting_room_total\{outcome="waits"\} \d/)
    await govern({})
    assert.equal((await as('e')).given, '')
  })

  it('are refused as a whole with all their mistakes, and nothing changes', async (t) => {
    const { ask, govern } = await openGoverned(t)
    for (const wrong of [
      { routes: [{ match: { path: 'things' } }] },
      { routes: [{ match: { path: '/nowhere' } }] },
      { headers: { 'content-length': '5' } },
    ]) {
      await govern({ routes: [{ match: { path }, refuse: { status: 503 } }] })
      await govern(wrong, false)
      assert.equal((await ask('/api/v1/things/a')).status, 503)
    }
    await govern({})
    assert.equal((await ask('/api/v1/things/a')).status, 200)
  })
})
