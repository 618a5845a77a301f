import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyone } from './access.ts'
import { defineContract } from './contract.ts'
import { command, type Operation, query } from './operation.ts'
import {
  entityTag,
  preferenceOf,
  type RestRequest,
  readInput,
  statusOf,
  type WrittenRequest,
  writeInput,
} from './rest.ts'
import { parseRest, type Rest, type RestSpec } from './route.ts'
import { type TSchema, Type } from './schema.ts'

function operationOf(http: RestSpec, fields: Record<string, TSchema>): Operation {
  const spec = { summary: 'x', access: anyone, http, input: Type.Object(fields), output: Type.Object({}) }
  const route = typeof http === 'string' ? http : http.route
  const only = route.startsWith('GET') ? query(spec) : command({ ...spec, idempotency: 'natural' })
  return defineContract({ name: 'things', version: 1, summary: 'x', operations: { only } }).operations.only
}

/** What a server makes of a written request: the path taken apart by the route, the body sent as text. */
function arrived(operation: Operation, written: WrittenRequest): RestRequest {
  const [path = '', search = ''] = written.target.split('?')
  const steps = path.split('/')
  const parameters: Record<string, string> = {}
  for (const [index, step] of (operation.rest?.path ?? '').split('/').entries()) {
    if (step.startsWith('{')) parameters[step.slice(1, -1)] = decodeURIComponent(steps[index] ?? '')
  }
  const body = written.body === undefined ? undefined : JSON.parse(JSON.stringify(written.body))
  return { parameters, search, ifMatch: written.ifMatch, prefer: written.prefer, body }
}

interface Field {
  readonly schema: TSchema
  readonly value: unknown
}

const anyText = fc.string({ unit: 'binary', minLength: 1 })
const anyScalar: fc.Arbitrary<Field> = fc.oneof(
  anyText.map((value) => ({ schema: Type.String(), value })),
  fc.maxSafeInteger().map((value) => ({ schema: Type.Integer(), value })),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => ({ schema: Type.Number(), value: value + 0 })),
  fc.boolean().map((value) => ({ schema: Type.Boolean(), value })),
  fc.constantFrom('new', 'old').map((value) => ({ schema: Type.Enum(['new', 'old']), value })),
  fc.constantFrom(1, 2).map((value) => ({ schema: Type.Literal(value), value })),
)
/** Not empty: a query string has no way to write an empty list. */
const anyList: fc.Arbitrary<Field> = fc.oneof(
  fc.array(anyText, { minLength: 1 }).map((value) => ({ schema: Type.Array(Type.String()), value })),
  fc
    .array(fc.maxSafeInteger(), { minLength: 1 })
    .map((value) => ({ schema: Type.Array(Type.Integer()), value })),
)
/** Only a body can carry it. */
const anyJson: fc.Arbitrary<Field> = fc
  .jsonValue()
  // It makes -0 too, which JSON writes as 0.
  .map((value) => ({ schema: Type.Unknown(), value: JSON.parse(JSON.stringify(value)) as unknown }))

const Wait = Type.Optional(Type.Integer({ minimum: 0, maximum: 30 }))

const names = ['id', 'sku', 'quantity', 'q', 'toString', 'valueOf', 'isNew'] as const
const someOf = <T>(field: fc.Arbitrary<T>): fc.Arbitrary<readonly (readonly [string, T])[]> =>
  fc.uniqueArray(fc.tuple(fc.constantFrom<string>(...names), field), {
    selector: ([name]) => name,
    maxLength: 5,
  })

/** An operation and an input it takes: some fields in the path, perhaps one in `If-Match` or `Prefer`, the others by method. */
const anyCase = fc
  .constantFrom('GET', 'DELETE', 'POST', 'PUT', 'PATCH')
  .chain((method) => {
    const hasBody = method !== 'GET' && method !== 'DELETE'
    return fc.record({
      method: fc.constant(method),
      inPath: someOf(anyScalar),
      elsewhere: someOf(hasBody ? fc.oneof(anyScalar, anyList, anyJson) : fc.oneof(anyScalar, anyList)),
      version: fc.option(fc.nat(), { nil: undefined }),
      waitS: method === 'GET' ? fc.constant(undefined) : fc.option(fc.nat(30), { nil: undefined }),
    })
  })
  .map(({ method, inPath, elsewhere, version, waitS }) => {
    const route = `${method} /things${inPath.map(([name]) => `/{${name}}/part`).join('')}`
    const fields = new Map([...elsewhere, ...inPath])
    if (version !== undefined) fields.set('version', { schema: Type.Integer(), value: version })
    if (waitS !== undefined) fields.set('waitS', { schema: Wait, value: waitS })
    const schemas = Object.fromEntries([...fields].map(([name, { schema }]) => [name, schema]))
    const http = {
      route,
      ...(version === undefined ? {} : { ifMatch: 'version' }),
      ...(waitS === undefined ? {} : { prefer: 'waitS' }),
    }
    const operation = operationOf(http, schemas)
    return { operation, input: Object.fromEntries([...fields].map(([name, { value }]) => [name, value])) }
  })

describe('readInput', () => {
  it('readInput of what writeInput wrote is the input, and valid', () => {
    fc.assert(
      fc.property(anyCase, ({ operation, input }) => {
        const read = readInput(operation, arrived(operation, writeInput(operation, input)))
        assert.deepEqual(read, input)
        assert.equal(operation.checkInput(read), undefined)
      }),
    )
  })

  it('readInput of what writeInput wrote leaves out what is undefined', () => {
    const optional = { q: Type.Optional(Type.String()), limit: Type.Optional(Type.Integer()) }
    for (const route of ['GET /things', 'POST /things']) {
      const operation = operationOf(route, optional)
      const written = writeInput(operation, { q: undefined, limit: 5 })
      assert.deepEqual(readInput(operation, arrived(operation, written)), { limit: 5 })
    }
  })

  const request: RestRequest = {
    parameters: {},
    search: '',
    ifMatch: undefined,
    prefer: undefined,
    body: undefined,
  }
  const issue =
    (pointer: string, message: RegExp) => (error: { code?: string; issues?: readonly unknown[] }) => {
      const [first] = (error.issues ?? []) as { pointer: string; message: string }[]
      assert.equal(error.code, 'invalid_argument')
      assert.equal(first?.pointer, pointer)
      assert.match(first?.message ?? '', message)
      return true
    }

  it('readInput leaves text that is not what the schema wants, for the check to refuse', () => {
    const operation = operationOf('GET /things', { n: Type.Integer(), x: Type.Number(), is: Type.Boolean() })
    for (const text of [
      '',
      ' 1',
      '1 ',
      '0x10',
      '1e3',
      'Infinity',
      'NaN',
      '--1',
      '1.',
      '.5',
      '9007199254740993',
    ]) {
      const read = readInput(operation, { ...request, search: `n=${encodeURIComponent(text)}` })
      assert.deepEqual(read, { n: text })
    }
    for (const text of ['', '1 ', '0x10', 'Infinity', 'NaN', '1e999', `1.${'0'.repeat(30)}`]) {
      const read = readInput(operation, { ...request, search: `x=${encodeURIComponent(text)}` })
      assert.deepEqual(read, { x: text })
    }
    assert.deepEqual(readInput(operation, { ...request, search: 'is=yes' }), { is: 'yes' })
    assert.deepEqual(readInput(operation, { ...request, search: 'n=-12&x=-0.5&is=true' }), {
      n: -12,
      x: -0.5,
      is: true,
    })
  })

  it('readInput refuses what the query string must not say', () => {
    const operation = operationOf('GET /things/{id}', { id: Type.String(), q: Type.String() })
    const read = (search: string) => () =>
      readInput(operation, { ...request, parameters: { id: 'a' }, search })
    assert.throws(read('p=1'), issue('/p', /not a known field/))
    assert.throws(read('a/b=1'), issue('/a~1b', /not a known field/))
    assert.throws(read('__proto__=1'), issue('/__proto__', /not a known field/))
    assert.throws(read('id=b'), issue('/id', /not a known field/))
    assert.throws(read('q=1&q=2'), issue('/q', /given twice/))
  })

  it('readInput refuses what the body must not say', () => {
    const http = { route: 'PUT /things/{id}', ifMatch: 'version' }
    const operation = operationOf(http, { id: Type.String(), version: Type.Integer() })
    const read = (body: unknown) => () => {
      return readInput(operation, { ...request, parameters: { id: 'a' }, ifMatch: '"1"', body })
    }
    for (const body of [null, [], 'x', 1]) assert.throws(read(body), issue('', /must be a JSON object/))
    assert.throws(read({ id: 'b' }), issue('/id', /belongs in the path/))
    assert.throws(read({ version: 2 }), issue('/version', /belongs in the If-Match header/))
    assert.deepEqual(read(undefined)(), { id: 'a', version: 1 })
  })

  it('readInput asks for a required If-Match with 428, and refuses one this API did not give', () => {
    const read = (version: TSchema, ifMatch: string | undefined) => () => {
      const operation = operationOf({ route: 'DELETE /things', ifMatch: 'version' }, { version })
      return readInput(operation, { ...request, ifMatch })
    }
    assert.throws(read(Type.Integer(), undefined), {
      code: 'failed_precondition',
      status: 428,
      executed: 'no',
    })
    assert.deepEqual(read(Type.Optional(Type.Integer()), undefined)(), {})
    assert.deepEqual(read(Type.Integer(), '"12"')(), { version: 12 })
    assert.deepEqual(read(Type.Integer(), entityTag(12, '{"version":12}'))(), { version: 12 })
    for (const header of [
      '12',
      '*',
      '"12-"',
      '"12-short"',
      'W/"12"',
      '"12", "13"',
      '"-1"',
      '"1234567890123456"',
      '""',
    ]) {
      assert.throws(read(Type.Integer(), header), issue('/version', /must be an ETag/), header)
    }
  })

  it('readInput takes the version from If-Match alone, never from the query string', () => {
    const operation = operationOf(
      { route: 'DELETE /things', ifMatch: 'version' },
      { version: Type.Optional(Type.Integer()) },
    )
    assert.throws(
      () => readInput(operation, { ...request, search: 'version=1' }),
      issue('/version', /not a known field/),
    )
  })
})

describe('a wait', () => {
  const wait = operationOf({ route: 'POST /things', prefer: 'waitS' }, { waitS: Wait, q: Type.String() })
  const read = (prefer: string | undefined, body: unknown = { q: 'a' }) =>
    readInput(wait, { parameters: {}, search: '', ifMatch: undefined, prefer, body })

  it('a wait comes from Prefer alone, and no longer than its field takes', () => {
    assert.deepEqual(read(undefined), { q: 'a' })
    assert.deepEqual(read('respond-async'), { q: 'a' })
    assert.deepEqual(read('wait=soon'), { q: 'a' })
    assert.deepEqual(read('return=minimal, wait=10'), { q: 'a', waitS: 10 })
    assert.deepEqual(read('wait=31'), { q: 'a', waitS: 30 })
    assert.deepEqual(read('wait=999999999999999'), { q: 'a', waitS: 30 })
    assert.throws(
      () => read('wait=1', { q: 'a', waitS: 2 }),
      (error: { issues?: readonly unknown[] }) => {
        assert.deepEqual(error.issues, [
          { pointer: '/waitS', message: 'belongs in the Prefer header, not in the body' },
        ])
        return true
      },
    )
  })

  it('a wait does not come from the query string', () => {
    const remove = operationOf({ route: 'DELETE /things', prefer: 'waitS' }, { waitS: Wait })
    const request = { parameters: {}, ifMatch: undefined, body: undefined }
    assert.throws(() => readInput(remove, { ...request, search: 'waitS=1', prefer: undefined }))
    assert.deepEqual(readInput(remove, { ...request, search: '', prefer: 'wait=1' }), { waitS: 1 })
  })

  it('a wait that was followed is told, and nothing that was not checked', () => {
    const told = (waitS: unknown) => preferenceOf(wait.rest as Rest, { waitS })
    assert.equal(told(30), 'wait=30')
    assert.equal(told(0), 'wait=0')
    for (const waitS of [undefined, null, 'x\r\ny', 1.5]) assert.equal(told(waitS), undefined)
    assert.equal(preferenceOf(operationOf('POST /things', {}).rest as Rest, { waitS: 1 }), undefined)
  })
})

describe('statusOf', () => {
  it('statusOf is 202 while an answer has the value that says so', () => {
    const acceptedWhile = { field: 'status', value: 'pending' }
    const rest = parseRest({ route: 'POST /things', status: 201, acceptedWhile }, true)
    assert.equal(statusOf(rest, { status: 'pending' }), 202)
    assert.equal(statusOf(rest, { status: 'confirmed' }), 201)
    assert.equal(statusOf(rest, {}), 201)
    assert.equal(statusOf(parseRest('POST /things', true), { status: 'pending' }), 200)
  })
})

describe('entityTag', () => {
  it('entityTag changes with the version, and with anything else in the body', () => {
    assert.equal(entityTag(1, 'a'), entityTag(1, Buffer.from('a')))
    assert.notEqual(entityTag(1, 'a'), entityTag(1, 'b'))
    assert.notEqual(entityTag(1, 'a'), entityTag(2, 'a'))
  })
})

describe('writeInput', () => {
  it('writeInput keeps what is in the path from adding to it', () => {
    const operation = operationOf('GET /things/{id}', { id: Type.String() })
    assert.equal(writeInput(operation, { id: 'a/b?c#d e' }).target, '/things/a%2Fb%3Fc%23d%20e')
  })
})
