import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone, service, user } from './access.ts'
import { defineContract, operationsOf, reasonsOf } from './contract.ts'
import { type EventSpec, event } from './event.ts'
import { command, type OperationSpec, query, stream } from './operation.ts'
import { type TSchema, Type } from './schema.ts'

const get = query({
  summary: 'Gets one.',
  access: anyone,
  http: 'GET /things/{id}',
  input: Type.Object({ id: Type.String() }),
  output: Type.Object({ id: Type.String(), version: Type.Integer() }),
})
const change = command({
  summary: 'Changes one.',
  access: user,
  idempotency: 'natural',
  http: { route: 'PUT /things/{id}', ifMatch: 'version', etag: 'version' },
  input: Type.Object({ id: Type.String(), version: Type.Integer() }),
  output: Type.Object({ id: Type.String(), version: Type.Integer() }),
  reasons: { too_late: { code: 'failed_precondition', title: 'Too late' } },
})
const thingChanged = event({
  version: 1,
  key: 'id',
  summary: 'One has changed.',
  data: Type.Object({ id: Type.String() }),
})

const Wait = Type.Optional(Type.Integer({ minimum: 0, maximum: 9 }))
const waitInput = (waitS: TSchema): TSchema =>
  Type.Object({ id: Type.String(), version: Type.Integer(), waitS })
const withHttp = (input: TSchema, options: object): Spec => ({
  operations: { change: { ...change, input, http: { route: 'PUT /things/{id}', ...options } as never } },
})
const withWait = (prefer: string, waitS: TSchema = Wait, options = {}): Spec =>
  withHttp(waitInput(waitS), { prefer, ...options })
const withAccepted = (acceptedWhile: object, options = {}): Spec =>
  withHttp(change.input, { acceptedWhile, ...options })

interface Spec {
  readonly name?: string
  readonly version?: number
  readonly operations?: Readonly<Record<string, OperationSpec>>
  readonly events?: Readonly<Record<string, EventSpec>>
}

const define = ({
  name = 'things',
  version = 1,
  operations = { get, change },
  events = { thingChanged },
}: Spec) => defineContract({ name, version, summary: 'Things.', operations, events })

const without = <T, K extends keyof T>(value: T, key: K): T => ({ ...value, [key]: undefined })

const everyone = { maxAgeS: 1, scope: 'everyone' } as const
const withCache = (cache: NonNullable<OperationSpec['cache']>, more: Partial<OperationSpec> = {}): Spec => ({
  operations: { get: { ...get, cache, ...more } },
})

const DAY = '2026-11-01'
const hidden = { ...get, http: undefined, access: service('cart') }
const withEnd = (deprecated: NonNullable<OperationSpec['deprecated']>): Spec => ({
  operations: { get: { ...get, deprecated }, change, hidden },
})

/** Each a contract with one mistake, and the words that must name it. */
const mistakes: readonly (readonly [Spec, RegExp])[] = [
  [withEnd({ since: '2026-13-01' }), /get is deprecated with 2026-13-01, which is no day like/],
  [withEnd({ since: '2026-02-30' }), /get is deprecated with 2026-02-30, which is no day like/],
  [
    withEnd({ since: '2026-11-01T00:00:00Z' }),
    /get is deprecated with 2026-11-01T00:00:00Z, which is no day/,
  ],
  [withEnd({ since: DAY, sunset: 'soon' }), /get is deprecated with soon, which is no day like/],
  [withEnd({ since: DAY, sunset: DAY }), /get may be gone on 2026-11-01, which is not after 2026-11-01/],
  [withEnd({ since: DAY, sunset: '2026-10-31' }), /get may be gone on 2026-10-31, which is not after/],
  [withEnd({ since: DAY, successor: 'get' }), /get names itself to be used instead/],
  [withEnd({ since: DAY, successor: 'find' }), /get names find to be used instead, and there is no such op/],
  [withEnd({ since: DAY, successor: 'toString' }), /get names toString to be used instead, and there is no/],
  [withEnd({ since: DAY, successor: 'hidden' }), /get names hidden to be used instead, which has no route/],
  [{ name: 'Things' }, /name must match/],
  [{ name: '1things' }, /name must match/],
  [{ name: '' }, /name must match/],
  [{ name: 'x'.repeat(32) }, /name must match/],
  [{ version: 0 }, /version must be a whole number/],
  [{ version: 1.5 }, /version must be a whole number/],
  [{ operations: { Get: get } }, /Get must be named in camelCase/],
  [{ operations: { get_one: get } }, /get_one must be named in camelCase/],
  [{ operations: { get: without(get, 'access') } }, /get has no access rule/],
  [{ operations: { get: { ...get, http: undefined, input: Type.String() } } }, /get must take an object/],
  [
    { operations: { change: { ...change, reasons: { tooLate: { code: 'aborted', title: 'x' } } } } },
    /change names reason tooLate, which is not snake_case/,
  ],
  [
    {
      operations: {
        change: { ...change, reasons: { late: without({ code: 'aborted', title: 'x' } as const, 'code') } },
      },
    },
    /change gives reason late no code/,
  ],
  [withCache({ ...everyone, tags: ['Things'] }), /get has a tag Things, which is not like 'name'/],
  [withCache({ ...everyone, tags: ['thing:{id'] }), /get has a tag thing:\{id, which is not like 'name'/],
  [withCache({ ...everyone, tags: ['thing:{sku}'] }), /get has a tag thing:\{sku\}, and no such field/],
  [withCache({ ...everyone, tags: ['t:{output.sku}'] }), /get has a tag t:\{output.sku\}, and no such field/],
  [
    withCache({ ...everyone, partialIfNull: ['sku'] }),
    /get is partial without sku, which is no output field/,
  ],
  [withCache(everyone, { access: user }), /get has answers that are kept for everybody, and not everybody/],
  [
    withCache({ maxAgeS: 1, scope: 'public', tags: [] }, { access: user }),
    /get has answers that are kept for everybody, and not everybody may call it/,
  ],
  [withCache({ maxAgeS: 1, scope: 'private', tags: [] }), /get has private answers, which nobody keeps/],
  [
    withCache({ maxAgeS: 1, scope: 'public', exceptRoles: ['admin'] }),
    /get excepts roles from everyone, and its answers are not for everyone/,
  ],
  [
    { operations: { change: { ...change, changes: ['t:{sku}'] } } },
    /change has a tag t:\{sku\}, and no such/,
  ],
  [{ operations: { get: { ...get, http: 'FETCH /things' } } }, /get has a route that is not like/],
  [{ operations: { get: { ...get, http: 'GET things' } } }, /get has a route that is not like/],
  [{ operations: { get: { ...get, http: 'GET /things/{id' } } }, /get has a route that is not like/],
  [{ operations: { get: { ...get, http: 'GET /things/{}' } } }, /get has a route that is not like/],
  [{ operations: { get: { ...get, http: 'GET /things/{id}/of/{id}' } } }, /get names a path parameter twice/],
  [
    { operations: { get: { ...get, http: 'GET /things/{sku}' } } },
    /get has \{sku\} in its path and no such input field/,
  ],
  [{ operations: { get: { ...get, http: 'GET /things/{toString}' } } }, /get has \{toString\} in its path/],
  [
    { operations: { change: { ...change, http: { route: 'PUT /things/{id}', ifMatch: 'tag' } } } },
    /change takes If-Match as tag, which is no input field/,
  ],
  [
    { operations: { change: { ...change, http: { route: 'PUT /things/{id}', etag: 'tag' } } } },
    /change gives tag as ETag, which is no output field/,
  ],
  [withWait('tag'), /change takes Prefer as tag, which is no optional input field of whole numbers/],
  [
    withWait('waitS', Type.Integer({ minimum: 0, maximum: 9 })),
    /change takes Prefer as waitS, which is no opt/,
  ],
  [
    withWait('waitS', Type.Optional(Type.Integer({ minimum: 0 }))),
    /change takes Prefer as waitS, which is no/,
  ],
  [
    withWait('waitS', Type.Optional(Type.Integer({ maximum: 9 }))),
    /change takes Prefer as waitS, which is no/,
  ],
  [withWait('waitS', Type.Optional(Type.String())), /change takes Prefer as waitS, which is no optional/],
  [withWait('waitS', Wait, { route: 'PUT /things/{id}/{waitS}' }), /change takes waitS from two places/],
  [withWait('waitS', Wait, { ifMatch: 'waitS' }), /change takes waitS from two places/],
  [
    {
      operations: {
        get: { ...get, input: waitInput(Wait), http: { route: 'GET /t/{id}', prefer: 'waitS' } },
      },
    },
    /get takes Prefer, and only a command is waited for/,
  ],
  [withAccepted({ field: 'state', value: 'pending' }), /change is accepted while state is pending, which no/],
  [
    withAccepted({ field: 'version', value: 'pending' }),
    /change is accepted while version is pending, which/,
  ],
  [
    withAccepted({ field: 'id', value: 'pending' }, { status: 204 }),
    /change is accepted for a while, and only a command that answers something can be/,
  ],
  [
    { operations: { get: { ...get, access: service('cart') } } },
    /get has a route, but its access rule \(service cart\) keeps everybody outside away/,
  ],
  [{ operations: { get: { ...get, http: 'POST /things/{id}' } } }, /get is a query and cannot be a POST/],
  [
    { operations: { change: { ...change, http: 'GET /things/{id}' } } },
    /change is a command and cannot be a GET/,
  ],
  [
    { operations: { watch: stream({ ...without(get, 'cache'), http: 'PUT /things/{id}' } as never) } },
    /watch is a stream and cannot be a PUT/,
  ],
  [
    {
      operations: {
        get,
        find: { ...get, http: 'GET /things/{name}', input: Type.Object({ name: Type.String() }) },
      },
    },
    /find has the same route as get/,
  ],
  [
    { operations: { get, getV1: { ...get, http: { route: 'GET /things/{id}', version: 1 } } } },
    /getV1 has the same route as get/,
  ],
  [
    { operations: { get, atRoot: { ...get, http: { route: 'GET /api/v1/things/{id}', isAtRoot: true } } } },
    /atRoot has the same route as get/,
  ],
  ...[0, 1.5, -1, '2', Number.NaN].map(
    (version) =>
      [
        { operations: { get: { ...get, http: { route: 'GET /things/{id}', version: version as number } } } },
        /get has an API version that is no whole number from 1/,
      ] as const,
  ),
  [
    { operations: { get: { ...get, http: { route: 'GET /things/{id}', version: 2, isAtRoot: true } } } },
    /get has an API version, and a path at the root, which shows none/,
  ],
  [{ events: { ThingChanged: thingChanged } }, /event ThingChanged must be named in camelCase/],
  [
    { events: { thingChanged: { ...thingChanged, version: 0 } } },
    /event thingChanged needs a version from 1/,
  ],
  [
    { events: { thingChanged: { ...thingChanged, key: 'sku' } } },
    /event thingChanged has no field sku to be its key/,
  ],
  [{ events: { thingChanged: { ...thingChanged, key: 'toString' } } }, /no field toString to be its key/],
]

describe('defineContract', () => {
  it('defineContract takes a contract without a mistake', () => {
    assert.doesNotThrow(() => define({}))
    assert.deepEqual(defineContract({ name: 'a', version: 1, summary: 'x', operations: {} }).events, {})
  })

  for (const [spec, words] of mistakes) {
    it(`defineContract finds: ${words.source}`, () => {
      assert.throws(() => define(spec), { code: 'invalid_argument', executed: 'no', message: words })
    })
  }

  it('defineContract tells all mistakes at once', () => {
    const spec: Spec = {
      name: 'Things',
      version: 0,
      operations: { get: { ...get, http: 'FETCH /x' }, change: without(change, 'access') },
      events: { thingChanged: { ...thingChanged, key: 'sku' } },
    }
    assert.throws(
      () => define(spec),
      (error: Error) => {
        const found = [/name must/, /version must/, /get has a route/, /change has no access/, /no field sku/]
        return found.every((words) => words.test(error.message))
      },
    )
  })

  it('defineContract names its operations, works out their routes and closes their objects', () => {
    const { operations } = define({})
    const { get: getOne, change: changeOne } = operations
    assert.equal(changeOne?.id, 'things.change')
    assert.equal(changeOne?.service, 'things')
    assert.equal(changeOne?.scope, 'things:write')
    assert.equal(getOne?.scope, 'things:read')
    assert.deepEqual(getOne?.rest?.parameters, ['id'])
    assert.deepEqual(changeOne?.rest, {
      method: 'PUT',
      path: '/things/{id}',
      parameters: ['id'],
      status: 200,
      hasBody: true,
      isAtRoot: false,
      ifMatch: 'version',
      prefer: undefined,
      acceptedWhile: undefined,
      etag: 'version',
      browsing: undefined,
      provenKey: undefined,
    })
    assert.deepEqual(getOne?.checkInput({ id: 'a', x: 1 }), [
      { pointer: '/x', message: 'is not a known field' },
    ])
    assert.deepEqual(getOne?.checkOutput({ id: 'a' }), [{ pointer: '/version', message: 'is required' }])
  })

  it('defineContract lets operations stand beside each other on one route, in versions of their own', () => {
    const getV2 = { ...get, http: { route: 'GET /things/{id}', version: 2 } }
    const { operations } = define({ operations: { get, getV2, change } })
    const versions = Object.values(operations).map((operation) => operation?.version)
    assert.deepEqual(versions, [1, 2, 1])
    assert.equal(define({ version: 3, operations: { getV2 } }).operations['getV2']?.version, 2)
  })

  it('defineContract takes the end of an operation that has a successor', () => {
    const deprecated = { since: DAY, sunset: '2026-11-02', successor: 'change' }
    assert.deepEqual(define(withEnd(deprecated)).operations['get']?.deprecated, deprecated)
    assert.equal(define({}).operations['get']?.deprecated, undefined)
  })

  it('defineContract calls idempotent only what is so without a key', () => {
    const idempotencies = ['natural', 'key', 'key_required', 'none'] as const
    const isIdempotent = idempotencies.map((idempotency) => {
      return define({ operations: { change: { ...change, idempotency } } }).operations['change']?.isIdempotent
    })
    assert.deepEqual(isIdempotent, [true, false, false, false])
    assert.equal(define({}).operations['get']?.isIdempotent, true)
  })

  it('defineContract leaves an operation without a route to services', () => {
    const hidden = { ...without(get, 'http'), access: service('cart') }
    assert.equal(define({ operations: { hidden } }).operations['hidden']?.rest, undefined)
  })
})

describe('operationsOf', () => {
  it('operationsOf gives every operation, in the order of declaration', () => {
    assert.deepEqual(
      operationsOf(define({ operations: { change, get } })).map(({ name }) => name),
      ['change', 'get'],
    )
  })
})

describe('reasonsOf', () => {
  it('reasonsOf gathers the reasons of all operations', () => {
    const other = { ...get, reasons: { gone: { code: 'not_found', title: 'Gone' } as const } }
    assert.deepEqual(Object.keys(reasonsOf(define({ operations: { other, change } }))), ['gone', 'too_late'])
    assert.deepEqual(reasonsOf(define({ operations: {} })), {})
  })
})
