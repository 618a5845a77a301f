import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import Schema from 'typebox/schema'
import {
  accepts,
  closed,
  Id,
  type JsonSchema,
  lazyCheck,
  Money,
  mapSchema,
  opened,
  Page,
  paging,
  type Static,
  Time,
  type TSchema,
  Type,
} from './schema.ts'

/** Names a schema must not take for its own keywords. */
const anyName = fc.constantFrom(
  'a',
  'b',
  'enum',
  'const',
  'default',
  'examples',
  'type',
  'properties',
  'items',
)

/** A schema of nested objects with one value of it, and where in the value the objects are. */
interface Sample {
  readonly schema: TSchema
  readonly value: unknown
  readonly objects: readonly string[]
}

const { sample: anySample } = fc.letrec<{ sample: Sample; object: Sample }>((tie) => ({
  sample: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string().map((value): Sample => ({ schema: Type.String(), value, objects: [] })),
    tie('sample').map(
      ({ schema, value, objects }): Sample => ({
        schema: Type.Array(schema),
        value: [value, value],
        objects: objects.map((pointer) => `/1${pointer}`),
      }),
    ),
    tie('sample').map(({ schema, value, objects }): Sample => {
      return { schema: Type.Union([Type.Null(), schema]), value, objects }
    }),
    tie('object'),
  ),
  object: fc.uniqueArray(fc.tuple(anyName, tie('sample')), { selector: ([name]) => name, maxLength: 3 }).map(
    (fields): Sample => ({
      schema: Type.Object(Object.fromEntries(fields.map(([name, { schema }]) => [name, schema]))),
      value: Object.fromEntries(fields.map(([name, { value }]) => [name, value])),
      objects: [
        '',
        ...fields.flatMap(([name, { objects }]) => objects.map((pointer) => `/${name}${pointer}`)),
      ],
    }),
  ),
}))

/** `value` with the field `unknown` added to the object at `pointer`. */
function withUnknownField(value: unknown, pointer: string): unknown {
  const copy = structuredClone(value)
  const steps = pointer.split('/').slice(1)
  const target = steps.reduce((part, step) => (part as Record<string, unknown>)[step], copy)
  Object.assign(target as object, { unknown: true })
  return copy
}

describe('closed', () => {
  it('closed still takes what it names, and refuses an unknown field in every object at every depth', () => {
    fc.assert(
      fc.property(anySample, ({ schema, value, objects }) => {
        const check = lazyCheck(closed(schema))
        assert.equal(check(value), undefined)
        for (const pointer of objects) {
          assert.ok(check(withUnknownField(value, pointer)), pointer)
        }
      }),
    )
  })

  it('closed leaves objects alone that say what else they take', () => {
    const open = Type.Object({ a: Type.String() }, { additionalProperties: Type.Integer() })
    assert.equal(lazyCheck(closed(open))({ a: '', more: 1 }), undefined)
    const record = Type.Record(Type.String(), Type.Object({ a: Type.String() }))
    assert.equal(lazyCheck(closed(record))({ any: { a: '' } }), undefined)
    assert.ok(lazyCheck(closed(record))({ any: { a: '', unknown: 1 } }))
  })

  it('closed does not touch values that look like schemas', () => {
    const likeness = { type: 'object', properties: {} }
    for (const schema of [
      Type.Object({}, { default: likeness }),
      { const: likeness },
      { enum: [likeness] },
    ]) {
      assert.deepEqual(
        { ...(closed(schema) as object), additionalProperties: 0 },
        { ...schema, additionalProperties: 0 },
      )
    }
  })

  it('closed is undone by opened', () => {
    fc.assert(
      fc.property(anySample, ({ schema, value, objects }) => {
        const open = opened(closed(schema) as unknown as JsonSchema)
        assert.deepEqual(open, JSON.parse(JSON.stringify(schema)))
        for (const pointer of objects) assert.equal(accepts(open, withUnknownField(value, pointer)), true)
      }),
    )
  })

  it('closed leaves the schema it is given as it is', () => {
    const schema = Type.Object({ a: Type.Object({}) })
    const before = JSON.stringify(schema)
    closed(schema)
    assert.equal(JSON.stringify(schema), before)
  })
})

describe('mapSchema', () => {
  it('mapSchema shows every part once, inner ones first', () => {
    const seen: unknown[] = []
    const schema = Type.Object({
      default: Type.Array(Type.Null()),
      b: Type.Union([Type.String(), Type.Integer()]),
    })
    mapSchema(schema, (part) => {
      seen.push(part['type'] ?? 'union')
      return part
    })
    assert.deepEqual(seen.toSorted(), ['array', 'integer', 'null', 'object', 'string', 'union'])
    assert.equal(seen.at(-1), 'object')
    assert.ok(seen.indexOf('null') < seen.indexOf('array'))
  })
})

describe('lazyCheck', () => {
  it('lazyCheck has nothing to say exactly when the value is valid, and else something, within its bound', () => {
    fc.assert(
      fc.property(
        anySample,
        fc.oneof(
          fc.jsonValue(),
          anySample.map(({ value }) => value),
        ),
        ({ schema }, value) => {
          const issues = lazyCheck(schema)(value)
          assert.equal(issues === undefined, Schema.Check(schema, value))
          if (issues) {
            assert.ok(issues.length >= 1 && issues.length <= 20)
            assert.equal(new Set(issues.map(({ pointer }) => pointer)).size, issues.length)
          }
        },
      ),
    )
  })

  const check = lazyCheck(
    closed(
      Type.Object({ name: Type.String({ minLength: 1 }), age: Type.Optional(Type.Integer({ minimum: 0 })) }),
    ),
  )

  it('lazyCheck says per field what is wrong', () => {
    assert.deepEqual(check({}), [{ pointer: '/name', message: 'is required' }])
    assert.deepEqual(check({ name: 'a', age: -1 }), [{ pointer: '/age', message: 'must be >= 0' }])
    assert.deepEqual(check({ name: 'a', Age: 1 }), [{ pointer: '/Age', message: 'is not a known field' }])
    assert.deepEqual(check('x'), [{ pointer: '', message: 'must be object' }])
  })

  it('lazyCheck points by RFC 6901, whatever a field is called', () => {
    assert.deepEqual(check({ name: 'a', 'a/b~c': 1 }), [
      { pointer: '/a~1b~0c', message: 'is not a known field' },
    ])
  })

  it('lazyCheck names at most 20 of a thousand unknown fields, and does name some', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field${index}`, index]))
    const issues = check({ name: 'a', ...many }) ?? []
    assert.ok(issues.length <= 20)
    assert.deepEqual(issues[0], { pointer: '/field0', message: 'is not a known field' })
  })
})

const isValid = (schema: TSchema, value: unknown): boolean => lazyCheck(closed(schema))(value) === undefined

describe('Id, Time, Money, Page, paging', () => {
  it('Id is short and safe in a path', () => {
    for (const id of ['a', '0193-ab_CD', 'x'.repeat(64)]) assert.equal(isValid(Id, id), true, id)
    for (const id of ['', 'x'.repeat(65), 'a/b', 'a b', 'ä', 'a\n', 1])
      assert.equal(isValid(Id, id), false, String(id))
  })

  it('Time is a date with time and offset', () => {
    assert.equal(isValid(Time, '2026-11-20T10:00:00.000Z'), true)
    for (const time of ['2026-11-20', '10:00', 'now', 0])
      assert.equal(isValid(Time, time), false, String(time))
  })

  it('Money is whole minor units and a currency', () => {
    const price: Money = { amount: 1_999, currency: 'EUR' }
    assert.equal(isValid(Money, price), true)
    for (const wrong of [{ amount: 19.99, currency: 'EUR' }, { amount: 1, currency: 'eur' }, { amount: 1 }]) {
      assert.equal(isValid(Money, wrong), false)
    }
  })

  it('Page is items and where to go on', () => {
    const Ids = Page(Id)
    const page: Static<typeof Ids> = { items: ['a'], nextCursor: null }
    assert.equal(isValid(Ids, page), true)
    assert.equal(isValid(Ids, { items: ['a'] }), false)
    assert.equal(isValid(Ids, { items: [1], nextCursor: 'x' }), false)
  })

  it('paging bounds the page and may be left out', () => {
    const Query = Type.Object(paging)
    assert.equal(isValid(Query, {}), true)
    assert.equal(isValid(Query, { limit: 100, cursor: 'x' }), true)
    for (const limit of [0, 101, 1.5]) assert.equal(isValid(Query, { limit }), false)
  })
})
