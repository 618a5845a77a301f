import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyone, role, service } from './access.ts'
import { type Contract, defineContract } from './contract.ts'
import { describeContract } from './describe.ts'
import { event } from './event.ts'
import { command, query, stream } from './operation.ts'
import { Id, Money, type TSchema, Type } from './schema.ts'

/** A contract with something of everything, its parts declared in the order `shuffled` gives. */
function shop(shuffled: <T>(items: T[]) => T[]): Contract {
  const inOrder = <T>(record: Record<string, T>): Record<string, T> =>
    Object.fromEntries(shuffled(Object.entries(record)))
  const object = (fields: Record<string, TSchema>): TSchema => Type.Object(inOrder(fields))
  return defineContract({
    name: 'shop',
    version: 2,
    summary: 'Sells things.',
    operations: inOrder({
      get: query({
        summary: 'Gets one.',
        access: anyone,
        http: { route: 'GET /things/{id}', etag: 'version' },
        input: object({ id: Id }),
        output: object({ id: Id, price: Money, version: Type.Integer() }),
        cache: { scope: 'public', maxAgeS: 60 },
      }),
      change: command({
        summary: 'Changes one.',
        access: role(...shuffled(['admin', 'buyer'])),
        http: {
          route: 'PUT /things/{id}',
          ifMatch: 'version',
          status: 201,
          prefer: 'waitS',
          acceptedWhile: { field: 'status', value: 'pending' },
        },
        idempotency: 'key',
        input: object({
          id: Id,
          version: Type.Integer(),
          size: Type.Tuple([Type.Integer(), Type.Integer()]),
          waitS: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 })),
        }),
        output: Type.Object({ status: Type.String() }),
        reasons: inOrder({
          too_late: { code: 'failed_precondition', status: 409, title: 'Too late' } as const,
          gone: { code: 'not_found', title: 'Gone' } as const,
        }),
      }),
      watch: stream({
        summary: 'Watches.',
        access: service(...shuffled(['a', 'b'])),
        output: object({ n: Type.Integer() }),
      }),
    }),
    events: inOrder({
      changed: event({
        version: 3,
        key: 'id',
        summary: 'Changed.',
        data: object({ id: Id, at: Type.String() }),
      }),
      gone: event({ version: 1, key: 'id', summary: 'Gone.', data: object({ id: Id }) }),
    }),
  })
}

const asDeclared = shop((items) => items)

describe('describeContract', () => {
  it('describeContract gives the same text in whatever order the parts are declared', () => {
    const text = JSON.stringify(describeContract(asDeclared))
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (draws) => {
        const shuffled = <T>(items: T[]): T[] => {
          return items
            .map((item) => [draws.next().value as number, item] as const)
            .sort(([one], [other]) => one - other)
            .map(([, item]) => item)
        }
        assert.equal(JSON.stringify(describeContract(shop(shuffled))), text)
      }),
    )
  })

  it('describeContract is plain JSON: nothing gets lost on the way to a file', () => {
    const description = describeContract(asDeclared)
    assert.deepEqual(JSON.parse(JSON.stringify(description)), description)
  })

  it('describeContract says everything there is to an operation', () => {
    assert.deepEqual(describeContract(asDeclared).operations['change'], {
      kind: 'command',
      summary: 'Changes one.',
      access: { kind: 'role', roles: ['admin', 'buyer'] },
      rest: {
        method: 'PUT',
        path: '/things/{id}',
        status: 201,
        isAtRoot: false,
        ifMatch: 'version',
        prefer: 'waitS',
        acceptedWhile: { field: 'status', value: 'pending' },
      },
      input: {
        additionalProperties: false,
        properties: {
          id: { maxLength: 64, minLength: 1, pattern: '^[A-Za-z0-9_-]+$', type: 'string' },
          size: {
            items: false,
            minItems: 2,
            prefixItems: [{ type: 'integer' }, { type: 'integer' }],
            type: 'array',
          },
          version: { type: 'integer' },
          waitS: { maximum: 30, minimum: 0, type: 'integer' },
        },
        required: ['id', 'size', 'version'],
        type: 'object',
      },
      output: {
        additionalProperties: false,
        properties: { status: { type: 'string' } },
        required: ['status'],
        type: 'object',
      },
      reasons: {
        gone: { code: 'not_found', title: 'Gone' },
        too_late: { code: 'failed_precondition', status: 409, title: 'Too late' },
      },
      criticality: 'critical',
      timeoutMs: 10_000,
      idempotency: 'key',
    })
    const { get, watch } = describeContract(asDeclared).operations
    assert.deepEqual(get?.cache, { maxAgeS: 60, scope: 'public' })
    assert.equal(watch?.rest, undefined)
    assert.deepEqual(watch?.access, { kind: 'service', services: ['a', 'b'] })
  })

  it("describeContract names a route's version where it is not its contract's", () => {
    const http = (version: number) => ({ route: 'GET /things', version })
    const get = (version: number) =>
      query({ summary: 'Gets.', access: anyone, http: http(version), output: Type.Object({}) })
    const operations = { getV1: get(1), getV2: get(2) }
    const { getV1, getV2 } = describeContract(
      defineContract({ name: 'things', version: 2, summary: 'Things.', operations }),
    ).operations
    assert.deepEqual(getV1?.rest, {
      method: 'GET',
      path: '/things',
      status: 200,
      isAtRoot: false,
      version: 1,
    })
    assert.deepEqual(getV2?.rest, { method: 'GET', path: '/things', status: 200, isAtRoot: false })
  })

  it('describeContract says that an operation is going to go', () => {
    const get = { summary: 'Gets.', access: anyone, http: 'GET /things', output: Type.Object({}) }
    const described = (deprecated: NonNullable<Parameters<typeof query>[0]['deprecated']>) =>
      describeContract(
        defineContract({
          name: 'things',
          version: 1,
          summary: 'Things.',
          operations: { get: query({ ...get, deprecated }), other: query({ ...get, http: 'GET /others' }) },
        }),
      ).operations['get']?.deprecated
    const [all, reversed] = [
      { since: '2026-11-01', sunset: '2027-05-01', successor: 'other' },
      { successor: 'other', sunset: '2027-05-01', since: '2026-11-01' },
    ]
    assert.equal(JSON.stringify(described(all)), JSON.stringify(described(reversed)))
    assert.deepEqual([described(all), described({ since: '2026-11-01' })], [all, { since: '2026-11-01' }])
  })

  it('describeContract says everything there is to an event, and to the contract', () => {
    const { events, ...description } = describeContract(asDeclared)
    assert.deepEqual(events['gone'], {
      version: 1,
      key: 'id',
      summary: 'Gone.',
      data: {
        properties: { id: { maxLength: 64, minLength: 1, pattern: '^[A-Za-z0-9_-]+$', type: 'string' } },
        required: ['id'],
        type: 'object',
      },
    })
    assert.deepEqual(Object.keys(description), ['name', 'version', 'summary', 'operations'])
    assert.deepEqual(Object.keys(description.operations), ['change', 'get', 'watch'])
  })
})
