import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { validate } from '@hyperjump/json-schema/openapi-3-1'
import fc from 'fast-check'
import { FlotillaError } from '../kernel/error.ts'
import { anyone, role, service, user } from './access.ts'
import { type Contract, defineContract } from './contract.ts'
import { type OpenApiDocument, openApiDocument } from './openapi.ts'
import { command, query, stream } from './operation.ts'
import { problemOf } from './problem.ts'
import { accepts, closed, Id, type JsonSchema, Money, Page, paging, type TSchema, Type } from './schema.ts'

const Line = Type.Object(
  { sku: Id, quantity: Type.Integer({ minimum: 1 }), price: Money },
  { title: 'Order line' },
)
const Order = Type.Object(
  { id: Id, version: Type.Integer(), lines: Type.Array(Line), total: Money },
  { title: 'Order' },
)

const orders = defineContract({
  name: 'orders',
  version: 1,
  summary: 'Takes orders.',
  operations: {
    place: command({
      summary: 'Places an order.',
      access: user,
      http: { route: 'POST /orders', status: 202 },
      idempotency: 'key_required',
      input: Type.Object({ lines: Type.Array(Line, { minItems: 1 }), coupon: Type.Optional(Type.String()) }),
      output: Order,
      reasons: {
        out_of_stock: { code: 'failed_precondition', status: 409, title: 'Not enough in stock' },
        price_changed: { code: 'aborted', title: 'The price has changed' },
        too_many: { code: 'resource_exhausted', title: 'Too many open orders' },
      },
    }),
    change: command({
      summary: 'Changes an order.',
      access: role('admin', 'support'),
      http: { route: 'PUT /orders/{id}', ifMatch: 'version', etag: 'version' },
      idempotency: 'key',
      input: Type.Object(
        { id: Id, version: Type.Integer(), lines: Type.Array(Line) },
        { title: 'Order change' },
      ),
      output: Order,
    }),
    list: query({
      summary: 'Lists orders.',
      access: user,
      http: 'GET /orders',
      input: Type.Object({ ...paging, status: Type.Array(Type.Enum(['pending', 'done'])) }),
      output: Page(Order),
    }),
    remove: command({
      summary: 'Removes an order.',
      access: role('admin'),
      http: { route: 'DELETE /orders/{id}', status: 204 },
      idempotency: 'natural',
      input: Type.Object({ id: Id }),
      output: Type.Object({}),
    }),
    cancel: command({
      summary: 'Cancels an order.',
      access: user,
      http: 'POST /orders/{id}/cancel',
      idempotency: 'natural',
      input: Type.Object({ id: Id }),
      output: Order,
    }),
    pay: command({
      summary: 'Pays an order.',
      access: user,
      http: {
        route: 'POST /orders/{id}/payment',
        status: 201,
        prefer: 'waitS',
        acceptedWhile: { field: 'status', value: 'pending' },
      },
      idempotency: 'natural',
      input: Type.Object({
        id: Id,
        token: Type.String(),
        waitS: Type.Optional(Type.Integer({ minimum: 0, maximum: 30 })),
      }),
      output: Type.Object({ status: Type.Enum(['pending', 'paid']) }),
    }),
    watch: stream({
      summary: 'Follows an order.',
      access: user,
      http: 'GET /orders/{id}/stream',
      input: Type.Object({ id: Id }),
      output: Type.Object({ size: Type.Tuple([Type.Integer(), Type.Integer()]) }),
    }),
    keys: query({
      summary: 'Gives the keys.',
      access: anyone,
      http: { route: 'GET /.well-known/keys', isAtRoot: true },
      output: Type.Object({}),
    }),
    reserve: command({
      summary: 'For services.',
      access: service('cart'),
      idempotency: 'key',
      output: Type.Object({ secret: Type.String() }, { title: 'Secret' }),
    }),
  },
})
const hidden = defineContract({
  name: 'ledger',
  version: 1,
  summary: 'Internal.',
  operations: { book: query({ summary: 'Books.', access: service('orders'), output: Type.Object({}) }) },
})

const write = (...contracts: Contract[]): OpenApiDocument =>
  openApiDocument({ title: 'Shop', version: '1.0.0', contracts })

/** The official schema of OpenAPI 3.1, with every schema object held against JSON Schema 2020-12. */
const isOpenApi = await validate('https://spec.openapis.org/oas/3.1/schema-base')

function assertValid(document: OpenApiDocument): void {
  const json = JSON.parse(JSON.stringify(document))
  const result = isOpenApi(json, 'BASIC')
  assert.ok(result.valid, JSON.stringify(result, null, 2))
  // What the schema cannot say: nothing is lost as JSON, references lead somewhere, ids and parameters are unique,
  // every name in a path is a parameter, and every title that is used is kept.
  assert.deepEqual(json, document)
  const ids: string[] = []
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const operation of Object.values(methods)) {
      ids.push(operation['operationId'] as string)
      const parameters = (operation['parameters'] ?? []) as { name: string; in: string }[]
      const places = parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
      assert.equal(new Set(places).size, places.length)
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`)
      assert.deepEqual(inPath, path.match(/\{[^}]*\}/g) ?? [])
    }
  }
  assert.equal(new Set(ids).size, ids.length)
  const references = new Set(JSON.stringify(json).match(/#\/components\/schemas\/[^"]+/g))
  const kept = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
  assert.deepEqual([...references].toSorted(), kept.toSorted())
}

interface Answer {
  readonly description: string
  readonly headers?: unknown
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}
interface Described {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly requestBody?: {
    readonly required: boolean
    readonly content: Readonly<Record<string, unknown>>
  }
  readonly responses: Readonly<Record<string, Answer>>
  readonly security: unknown
}

const document = write(orders, hidden)
const of = (path: string, method: string, { paths } = document): Described =>
  paths[path]?.[method] as unknown as Described

describe('openApiDocument', () => {
  it('openApiDocument is valid OpenAPI 3.1', () => {
    assertValid(document)
    assertValid(write())
    const servers = [{ url: 'https://shop.test', description: 'The shop.' }]
    const options = { title: 'Shop', version: '1', description: 'All of it.', contracts: [orders], servers }
    const full = openApiDocument({ ...options, prefix: ({ service }) => `/${service}` })
    assertValid(full)
    assert.deepEqual(full.servers, servers)
    assert.equal(full.info.description, 'All of it.')
    assert.ok('/orders/orders/{id}' in full.paths && '/.well-known/keys' in full.paths)
  })

  it('openApiDocument has two versions of a route beside each other, and says which is going to go', () => {
    const get = { summary: 'Gets.', access: anyone, input: Type.Object({ id: Id }), output: Order }
    const deprecated = { since: '2026-11-01', sunset: '2027-05-01', successor: 'getV2' }
    const versions = write(
      defineContract({
        name: 'orders',
        version: 1,
        summary: 'Orders.',
        operations: {
          get: query({ ...get, http: 'GET /orders/{id}', deprecated }),
          getV2: query({ ...get, http: { route: 'GET /orders/{id}', version: 2 } }),
        },
      }),
    )
    assertValid(versions)
    const ids = Object.entries(versions.paths).map(([path, { get: its }]) => [path, its?.['operationId']])
    assert.deepEqual(ids, [
      ['/api/v1/orders/{id}', 'orders.get'],
      ['/api/v2/orders/{id}', 'orders.getV2'],
    ])
    const [old, now] = Object.values(versions.paths).map(({ get: its }) => its)
    assert.deepEqual([old?.['deprecated'], now?.['deprecated']], [true, undefined])
    assert.equal(
      old?.['description'],
      'For anyone. Deprecated since 2026-11-01; use orders.getV2 instead; it may be gone from 2027-05-01 on.',
    )
    const headersOf = (its: unknown) => Object.keys((its as Described).responses[200]?.headers ?? {})
    assert.deepEqual([headersOf(old), headersOf(now)], [['Deprecation', 'Sunset', 'Link'], []])
  })

  it('openApiDocument is valid OpenAPI 3.1 whatever the contract takes and gives', () => {
    const { schema: anySchema } = fc.letrec<{ schema: TSchema }>((tie) => ({
      schema: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<TSchema>(
          Type.String(),
          Type.Integer({ maximum: 3 }),
          Type.Unknown(),
          Id,
          Money,
          Line,
        ),
        fc.constantFrom<TSchema>(Type.Literal(1), Type.Enum(['a', 'b']), Type.Null(), Type.Tuple([])),
        tie('schema').map((item) => Type.Array(item)),
        tie('schema').map((item) => Type.Union([item, Type.Null()])),
        tie('schema').map((item) => Type.Tuple([item, Type.Boolean()])),
        tie('schema').map((item) => Type.Record(Type.String(), item)),
        fc
          .dictionary(fc.constantFrom('a', 'title', 'items'), tie('schema'))
          .map((fields) => Type.Object(fields)),
      ),
    }))
    const anyInput = fc.dictionary(fc.constantFrom('id', 'version', 'a', 'default'), anySchema, {
      minKeys: 1,
    })
    const anyRoute = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    fc.assert(
      fc.property(anyRoute, anyInput, anySchema, fc.boolean(), (method, fields, output, isOptional) => {
        const [first = 'a'] = Object.keys(fields)
        const input = Type.Object({
          ...fields,
          ...(isOptional ? { more: Type.Optional(Type.String()) } : {}),
        })
        const spec = { summary: 'x', access: user, http: `${method} /x/{${first}}`, input, output }
        const only = method === 'GET' ? query(spec) : command({ ...spec, idempotency: 'key' })
        assertValid(write(defineContract({ name: 'x', version: 1, summary: 'x', operations: { only } })))
      }),
      { numRuns: 40 },
    )
  })

  it('openApiDocument lists what has a route, and tells nothing of what is for services', () => {
    assert.deepEqual(Object.keys(document.paths), [
      '/api/v1/orders',
      '/api/v1/orders/{id}',
      '/api/v1/orders/{id}/cancel',
      '/api/v1/orders/{id}/payment',
      '/api/v1/orders/{id}/stream',
      '/.well-known/keys',
    ])
    assert.deepEqual(Object.keys(document.paths['/api/v1/orders'] ?? {}), ['post', 'get'])
    assert.deepEqual(document.tags, [{ name: 'orders', description: 'Takes orders.' }])
    assert.doesNotMatch(JSON.stringify(document), /ledger|[Ss]ecret|reserve/)
  })

  it('openApiDocument tells how long can be waited, and both answers that may come of it', () => {
    const { parameters, requestBody, responses } = of('/api/v1/orders/{id}/payment', 'post')
    assert.deepEqual(
      parameters?.map(({ in: place, name, required }) => [place, name, required]),
      [
        ['path', 'id', true],
        ['header', 'Prefer', undefined],
      ],
    )
    assert.match(JSON.stringify(parameters), /30 at most/)
    assert.doesNotMatch(JSON.stringify(requestBody), /waitS/)
    const answers = ['201', '202'].map((status) => responses[status])
    assert.match(String(answers[1]?.['description']), /`status` is `pending`/)
    const [ended, accepted] = answers.map((answer) => ({ ...answer, description: '' }))
    assert.deepEqual(ended, accepted)
    assert.match(JSON.stringify(ended), /Preference-Applied/)
    assert.equal(responses['200'], undefined)
  })

  it('openApiDocument puts every field where it travels', () => {
    const places = (path: string, method: string): string[] =>
      (of(path, method).parameters ?? []).map((parameter) => {
        return `${parameter.in} ${parameter.name}${parameter.required ? ' required' : ''}`
      })
    assert.deepEqual(places('/api/v1/orders', 'get'), [
      'query limit',
      'query cursor',
      'query status required',
    ])
    assert.deepEqual(places('/api/v1/orders', 'post'), ['header Idempotency-Key required'])
    assert.deepEqual(places('/api/v1/orders/{id}', 'put'), [
      'path id required',
      'header Idempotency-Key',
      'header If-Match required',
    ])
    assert.deepEqual(of('/api/v1/orders/{id}', 'put').requestBody, {
      required: true,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: {
              lines: {
                type: 'array',
                items: { $ref: '#/components/schemas/Order_line', unevaluatedProperties: false },
              },
            },
            required: ['lines'],
            additionalProperties: false,
          },
        },
      },
    })
    assert.equal(of('/api/v1/orders', 'get').requestBody, undefined)
    assert.equal(of('/api/v1/orders/{id}/cancel', 'post').requestBody, undefined)
    assert.equal(of('/api/v1/orders/{id}', 'delete').requestBody, undefined)
  })

  /** The document of one operation that takes `input` in its body. */
  const writePost = (input: TSchema): OpenApiDocument => {
    const spec = { summary: 'x', access: anyone, http: 'POST /x', idempotency: 'none' } as const
    const post = command({ ...spec, input, output: Type.Object({}) })
    return write(defineContract({ name: 'x', version: 1, summary: 'x', operations: { post } }))
  }

  it('openApiDocument does not require a body that may be empty', () => {
    const posted = writePost(Type.Object({ text: Type.Optional(Type.String()) }))
    assert.equal(of('/api/v1/x', 'post', posted).requestBody?.required, false)
  })

  it('openApiDocument answers with the status and media type of the operation', () => {
    const success = (path: string, method: string): string => {
      const [status, { content }] = Object.entries(of(path, method).responses)[0] as [string, Answer]
      return `${status} ${Object.keys(content ?? {})}`
    }
    assert.equal(success('/api/v1/orders', 'post'), '202 application/json')
    assert.equal(success('/api/v1/orders', 'get'), '200 application/json')
    assert.equal(success('/api/v1/orders/{id}', 'delete'), '204 ')
    assert.equal(success('/api/v1/orders/{id}/stream', 'get'), '200 text/event-stream')
    assert.deepEqual(Object.keys(of('/api/v1/orders/{id}', 'put').responses['200']?.headers ?? {}), ['ETag'])
    assert.equal(of('/api/v1/orders', 'get').responses['200']?.headers, undefined)
  })

  it('openApiDocument gathers problems by status, reasons among them', () => {
    const { responses, ...place } = of('/api/v1/orders', 'post')
    const problems = Object.entries(responses).filter(([status]) => Number(status) >= 400)
    assert.deepEqual(
      problems.map(([status]) => status),
      ['400', '401', '403', '409', '422', '429', '503', '504'],
    )
    for (const [, { content }] of problems) {
      assert.deepEqual(content, {
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      })
    }
    assert.equal(
      responses['409']?.description,
      'A request with this Idempotency-Key is being processed\n\n`out_of_stock`: Not enough in stock\n\n`price_changed`: The price has changed',
    )
    assert.equal(responses['429']?.description, 'Too many requests\n\n`too_many`: Too many open orders')
    assert.deepEqual((place as { 'x-reasons'?: unknown })['x-reasons'], {
      out_of_stock: { code: 'failed_precondition', status: 409, title: 'Not enough in stock' },
      price_changed: { code: 'aborted', status: 409, title: 'The price has changed' },
      too_many: { code: 'resource_exhausted', status: 429, title: 'Too many open orders' },
    })
    assert.deepEqual(Object.keys(of('/.well-known/keys', 'get').responses), ['200', '429', '503', '504'])
    assert.ok('428' in of('/api/v1/orders/{id}', 'put').responses)
  })

  it('openApiDocument says who may call, and with what', () => {
    assert.deepEqual(of('/.well-known/keys', 'get').security, [])
    assert.deepEqual(of('/api/v1/orders', 'get').security, [{ bearer: [] }, { apiKey: ['orders:read'] }])
    assert.deepEqual(of('/api/v1/orders', 'post').security, [{ bearer: [] }, { apiKey: ['orders:write'] }])
    const put = document.paths['/api/v1/orders/{id}']?.['put']
    assert.equal(put?.['description'], 'For users with role admin or support.')
    assert.deepEqual(Object.keys(document.components.securitySchemes), ['bearer', 'apiKey'])
  })

  it('openApiDocument writes a titled schema once, open, and closes it where a request uses it', () => {
    const { Order_line: line, Order: order } = document.components.schemas
    assert.deepEqual(Object.keys(document.components.schemas), ['Money', 'Order_line', 'Order', 'Problem'])
    assert.doesNotMatch(JSON.stringify(document.components.schemas), /additionalProperties|unevaluated/)
    assert.deepEqual((line?.['properties'] as JsonSchema | undefined)?.['price'], {
      $ref: '#/components/schemas/Money',
    })
    assert.equal(order?.['title'], 'Order')
    const answered = of('/api/v1/orders/{id}/cancel', 'post').responses['200']
    assert.deepEqual(answered?.content?.['application/json']?.schema, { $ref: '#/components/schemas/Order' })
  })

  it('openApiDocument keeps the title of an input that travels whole in the body', () => {
    const posted = writePost(Type.Object({ text: Type.String() }, { title: 'Note' }))
    assert.deepEqual(of('/api/v1/x', 'post', posted).requestBody?.content['application/json'], {
      schema: { $ref: '#/components/schemas/Note', unevaluatedProperties: false },
    })
    assert.ok('Note' in posted.components.schemas)
  })

  const get = (http: string, output: TSchema = Type.Object({})): Contract => {
    const [parameter] = http.match(/(?<=\{)\w+/) ?? []
    const input = Type.Object(parameter === undefined ? {} : { [parameter]: Type.String() })
    const only = query({ summary: 'x', access: anyone, http, input, output })
    return defineContract({ name: `c${parameter ?? ''}`, version: 1, summary: 'x', operations: { only } })
  }

  it('openApiDocument refuses one title for two schemas, and one route for two operations', () => {
    const price = (title: string): TSchema => Type.Object({ cents: Type.Integer() }, { title })
    assert.throws(() => write(orders, get('GET /price', price('Money'))), {
      code: 'invalid_argument',
      message: 'Two schemas are titled Money and differ.',
    })
    assert.throws(() => write(get('GET /price', price('Problem'))), { message: /titled Problem/ })
    assert.doesNotThrow(() => write(get('GET /price', price('Price')), get('GET /x/{a}', price('Price'))))
    assert.throws(() => write(get('GET /x/{a}'), get('GET /x/{b}')), {
      code: 'invalid_argument',
      message: 'Two operations have the route GET /api/v1/x/{a}.',
    })
  })

  it('openApiDocument gives one path one set of names, the first', () => {
    const put = command({
      summary: 'x',
      access: anyone,
      http: 'PUT /x/{sku}',
      idempotency: 'natural',
      input: Type.Object({ sku: Type.String() }),
      output: Type.Object({}),
    })
    const other = defineContract({ name: 'other', version: 1, summary: 'x', operations: { put } })
    const both = write(get('GET /x/{id}'), other)
    assertValid(both)
    assert.deepEqual(Object.keys(both.paths['/api/v1/x/{id}'] ?? {}), ['get', 'put'])
  })

  it('openApiDocument describes problems as they are', () => {
    const schema = document.components.schemas['Problem'] as JsonSchema
    const error = new FlotillaError('invalid_argument', 'x', {
      reason: 'r',
      issues: [{ pointer: '/a', message: 'is required' }],
      data: { a: 1 },
    })
    // Closed, to find a field that the schema does not know.
    const strict = closed(schema as unknown as TSchema) as unknown as JsonSchema
    for (const problem of [problemOf(error, 't1'), problemOf(new FlotillaError('internal', 'x'), 't1')]) {
      assert.equal(accepts(strict, problem), true)
    }
  })
})
