import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone, user } from '@flotilla/core/access'
import { defineContract, operationsOf } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { type GatewayPolicies, gatewayPoliciesCheck, reservedHeaders } from './gateway-policies.ts'
import { mistakesInRoutes } from './route-policies.ts'

const Thing = Type.Object({ id: Type.String() })
const things = defineContract({
  name: 'things',
  version: 1,
  summary: 'Things.',
  operations: {
    get: query({ summary: 'One.', access: anyone, http: 'GET /things/{id}', input: Thing, output: Thing }),
    getAnew: query({
      summary: 'One.',
      access: user,
      http: 'GET /new-things/{id}',
      input: Thing,
      output: Thing,
    }),
    list: query({ summary: 'All.', access: anyone, http: 'GET /things', output: Type.Object({}) }),
    put: command({
      summary: 'Changes one.',
      access: user,
      idempotency: 'natural',
      http: 'PUT /things/{id}',
      input: Thing,
      output: Thing,
    }),
  },
})

/** Where there are mistakes. */
function pointersOf(policies: unknown): readonly string[] {
  const bySchema = gatewayPoliciesCheck(policies)?.map(({ pointer }) => pointer)
  if (bySchema !== undefined) return bySchema
  const its = policies as GatewayPolicies
  return [...reservedHeaders(its), ...mistakesInRoutes(its, operationsOf(things))].map(
    (mistake) => mistake.split(':', 1)[0] as string,
  )
}

const path = '/api/v1/things/{id}'
const upstreams = { old: { targets: ['http://127.0.0.1:1'] } }

/** A route to a foreign server, with `part` in place of what it has. */
function foreign(part: object): object {
  const route = { match: { path: '/old/**' }, upstream: { name: 'old' }, access: 'user', ...part }
  return { upstreams, routes: [route] }
}

describe('What the operator says about the edge', () => {
  it('is taken when it makes sense', () => {
    for (const policies of [
      {},
      { headers: { 'x-a': 'b' }, cors: { origins: ['https://a.test'] }, limits: { tiers: { gold: 5 } } },
      ...['/', '/a', '/a/', '/a/**', '/**', '/{a}/b', '/a%20b'].map((its) =>
        foreign({ match: { path: its } }),
      ),
      { routes: [{ match: { path, methods: ['HEAD'] }, refuse: { status: 410 } }] },
      { routes: [{ match: { path, methods: ['GET'] }, to: [{ operation: 'things.getAnew', weight: 0.5 }] }] },
      { routes: [{ match: { path, methods: ['GET'] }, mirror: { operation: 'things.getAnew' } }] },
      {
        routes: [
          { match: { path }, response: [{ enrich: { at: '/a', from: 'things.get', input: { id: 'b' } } }] },
        ],
      },
      { routes: [{ match: { path }, waitingRoom: { perMinute: 1 }, compress: false, roles: ['a'] }] },
      foreign({
        upstream: { name: 'old', strip: '/old', prepend: '/new' },
        roles: ['a'],
        criticality: 'sheddable',
      }),
      foreign({ upstream: { name: 'old', keepsAuthorization: true }, access: 'anyone' }),
    ])
      assert.deepEqual(pointersOf(policies), [], JSON.stringify(policies))
  })

  it('is refused when it does not, by the place of each mistake', () => {
    const route = (its: object, at = path): object => ({ routes: [{ match: { path: at }, ...its }] })
    const cases: readonly (readonly [policies: object, pointer: string])[] = [
      [{ nothing: 1 }, '/nothing'],
      [{ headers: { 'Content-Length': '5' } }, '/headers/Content-Length'],
      [{ headers: { 'strict-transport-security': 'x' } }, '/headers/strict-transport-security'],
      [{ headers: { 'x-a': 'b\r\nc' } }, '/headers/x-a'],
      [{ cors: { origins: ['*'] } }, '/cors/origins/0'],
      [{ limits: { address: 0 } }, '/limits/address'],
      ...['', 'a', '/a**', '/**/a', '//a', '/{}', '/{a', '/a{b}'].map(
        (at) => [route({}, at), '/routes/0/match/path'] as const,
      ),
      [route({ headers: { set: { Date: 'now' } } }), '/routes/0/headers/set/Date'],
      [route({ headers: { remove: ['a', 'connection'] } }), '/routes/0/headers/remove/1'],
      [route({}, '/nowhere'), '/routes/0/match'],
      [route({ access: 'anyone' }), '/routes/0/access'],
      [route({ sticky: 'user' }), '/routes/0/sticky'],
      [route({ to: [{ operation: 'things.nothing' }] }), '/routes/0/to/0/operation'],
      [route({ to: [{ operation: 'things.list' }] }), '/routes/0/to/0/operation'],
      [route({ mirror: { operation: 'things.put' } }), '/routes/0/mirror'],
      [
        route({ request: [{ enrich: { at: '/a', from: 'things.get', input: {} } }] }),
        '/routes/0/request/0/enrich',
      ],
      [
        route({ response: [{ drop: '/a' }, { enrich: { at: '/a', from: 'things.nothing', input: {} } }] }),
        '/routes/0/response/1/enrich/from',
      ],
      [
        route({ response: [{ enrich: { at: '/a', from: 'things.put', input: {} } }] }),
        '/routes/0/response/0/enrich/from',
      ],
      [
        route({ response: [{ enrich: { at: '/a', from: 'things.get', input: { name: 'id' } } }] }),
        '/routes/0/response/0/enrich/input/name',
      ],
      [foreign({ upstream: { name: 'new' } }), '/routes/0/upstream/name'],
      [foreign({ access: undefined }), '/routes/0/access'],
      [foreign({ upstream: { name: 'old', keepsAuthorization: true } }), '/routes/0/access'],
      [
        foreign({ upstream: { name: 'old', keepsAuthorization: true }, access: 'anyone', roles: ['a'] }),
        '/routes/0/roles',
      ],
      [foreign({ upstream: { name: 'old', strip: '/ol' } }), '/routes/0/upstream/strip'],
      [foreign({ timeoutMs: 5 }), '/routes/0/timeoutMs'],
      [foreign({ sticky: 'user' }), '/routes/0/sticky'],
      [foreign({ to: [{ operation: 'things.get' }] }), '/routes/0/upstream'],
      [foreign({ response: [{ drop: '/a' }] }), '/routes/0/upstream'],
    ]
    for (const [policies, pointer] of cases)
      assert.ok(
        pointersOf(policies).includes(pointer),
        `${JSON.stringify(policies)}: ${pointersOf(policies)}`,
      )
  })
})
