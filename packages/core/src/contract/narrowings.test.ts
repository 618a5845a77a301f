import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Narrowing, narrowings } from './narrowings.ts'
import { accepts, closed, type JsonSchema, type TSchema, Type } from './schema.ts'

type AnySchema = JsonSchema | boolean

const small = fc.integer({ min: -3, max: 6 })
const anyValue = fc.constantFrom<unknown>(
  null,
  true,
  false,
  0,
  1,
  2,
  1.5,
  '',
  'a',
  'ab',
  'x1',
  [],
  ['a'],
  {},
  { a: 1 },
)
const anyFieldName = fc.constantFrom('a', 'b', 'x1', 'z')
const anyPattern = fc.constantFrom('^x', '1$', '^[ab]*$')

/** Some of the keywords, each with a value that makes sense. */
const some = (keywords: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<JsonSchema> =>
  fc.record(keywords, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<JsonSchema>

const few = fc.integer({ min: 0, max: 2 })
const more = fc.integer({ min: 1, max: 4 })
const anyNumeric = some({
  minimum: small,
  maximum: small,
  exclusiveMinimum: small,
  exclusiveMaximum: small,
  multipleOf: fc.constantFrom(1, 2, 3, 0.5),
})
const anyTextual = some({
  minLength: few,
  maxLength: more,
  pattern: anyPattern,
  format: fc.constantFrom('date', 'uuid'),
})
const typed = (type: unknown, keywords: fc.Arbitrary<JsonSchema>): fc.Arbitrary<JsonSchema> =>
  keywords.map((chosen) => ({ type, ...chosen }))

function objectsOfFields(field: fc.Arbitrary<AnySchema>): fc.Arbitrary<JsonSchema> {
  const keywords = some({
    properties: fc.dictionary(anyFieldName, field, { maxKeys: 3, noNullPrototype: true }),
    required: fc.uniqueArray(anyFieldName, { maxLength: 2 }),
    additionalProperties: fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, field),
    patternProperties: fc.dictionary(anyPattern, field, { maxKeys: 2, noNullPrototype: true }),
    minProperties: few,
    maxProperties: more,
  })
  return typed('object', keywords)
}

function listsOfItems(item: fc.Arbitrary<AnySchema>): fc.Arbitrary<JsonSchema> {
  const keywords = some({
    prefixItems: fc.array(item, { minLength: 1, maxLength: 2 }),
    items: fc.oneof(fc.constant(false), item),
    minItems: few,
    maxItems: more,
    uniqueItems: fc.boolean(),
  })
  return typed('array', keywords)
}

const { schema: anySchema } = fc.letrec<{ schema: AnySchema; inner: AnySchema }>((tie) => ({
  inner: fc.oneof({ depthSize: 'small' }, typed('string', anyTextual), tie('schema')),
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    typed('integer', anyNumeric),
    typed('number', anyNumeric),
    typed('string', anyTextual),
    anyValue.map((value) => ({ const: value })),
    fc.uniqueArray(anyValue, { minLength: 1, maxLength: 4 }).map((values) => ({ enum: values })),
    fc.constantFrom<AnySchema>({ type: 'boolean' }, { type: 'null' }, {}, true, { type: ['string', 'null'] }),
    fc.tuple(anyNumeric, anyTextual).map(([numeric, textual]) => ({ ...numeric, ...textual })),
    listsOfItems(tie('inner')),
    objectsOfFields(tie('inner')),
    fc.array(tie('inner'), { minLength: 1, maxLength: 3 }).map((parts) => ({ anyOf: parts })),
  ),
}))
/** Schemas whose values are easy to meet, so that what is around them decides. */
const anyPlain = fc.constantFrom<AnySchema>(
  { type: 'string' },
  { type: 'integer' },
  { type: ['string', 'null'] },
  {},
  false,
)

/** The parts of a schema that are schemas, and how to put another in the place of one. */
function partsOf(schema: JsonSchema): (readonly [AnySchema, (part: AnySchema) => JsonSchema])[] {
  const parts: (readonly [AnySchema, (part: AnySchema) => JsonSchema])[] = []
  for (const keyword of ['items', 'additionalProperties']) {
    if (keyword in schema)
      parts.push([schema[keyword] as AnySchema, (part) => ({ ...schema, [keyword]: part })])
  }
  for (const keyword of ['anyOf', 'prefixItems']) {
    const list = (schema[keyword] ?? []) as readonly AnySchema[]
    for (const [index, old] of list.entries()) {
      parts.push([old, (part) => ({ ...schema, [keyword]: list.with(index, part) })])
    }
  }
  for (const keyword of ['properties', 'patternProperties']) {
    const fields = (schema[keyword] ?? {}) as Record<string, AnySchema>
    for (const [name, old] of Object.entries(fields)) {
      parts.push([old, (part) => ({ ...schema, [keyword]: { ...fields, [name]: part } })])
    }
  }
  return parts
}

/** `schema` with one thing changed, somewhere: most changed pairs are comparable, most random ones are not. */
function edited(schema: AnySchema, anyPart: fc.Arbitrary<AnySchema>): fc.Arbitrary<AnySchema> {
  if (typeof schema === 'boolean') return fc.constantFrom<AnySchema>({}, { type: 'string' })
  const numeric = Object.keys(schema).filter((keyword) => typeof schema[keyword] === 'number')
  const edits: fc.Arbitrary<AnySchema>[] = [
    fc.tuple(anyNumeric, anyTextual).map(([numbers, texts]) => ({ ...schema, ...numbers, ...texts })),
    fc.constant({ anyOf: [schema, { type: 'null' }] }),
    ...Object.keys(schema).map((gone) => fc.constant(withoutKeyword(schema, gone))),
    ...numeric.flatMap((keyword) => {
      const raised = [0.5, 1, 2].map((by) => ({ ...schema, [keyword]: (schema[keyword] as number) + by }))
      const lowered = [0.5, 1].map((by) => ({
        ...schema,
        [keyword]: Math.max(0.5, (schema[keyword] as number) - by),
      }))
      return [fc.constantFrom(...raised), fc.constantFrom(...lowered)]
    }),
    ...partsOf(schema).map(([part, replace]) => edited(part, anyPart).map(replace)),
  ]
  if (schema['type'] === 'object') edits.push(...editedObjects(schema, anyPart))
  if (schema['type'] === 'array') {
    edits.push(anyPart.map((items) => ({ ...schema, items })))
    edits.push(
      fc.array(anyPart, { minLength: 1, maxLength: 2 }).map((prefixItems) => ({ ...schema, prefixItems })),
    )
  }
  return fc.oneof(...edits)
}

function withoutKeyword(schema: JsonSchema, gone: string): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== gone))
}

function editedObjects(schema: JsonSchema, anyPart: fc.Arbitrary<AnySchema>): fc.Arbitrary<JsonSchema>[] {
  const adding = (keyword: string, name: fc.Arbitrary<string>): fc.Arbitrary<JsonSchema> =>
    fc.tuple(name, anyPart).map(([added, part]) => {
      return { ...schema, [keyword]: { ...(schema[keyword] as object | undefined), [added]: part } }
    })
  return [
    adding('properties', anyFieldName),
    adding('patternProperties', anyPattern),
    fc.uniqueArray(anyFieldName, { maxLength: 2 }).map((required) => ({ ...schema, required })),
    anyPart.map((others) => ({ ...schema, additionalProperties: others })),
  ]
}

/** Pairs of `schema` and another or, more often, itself after an edit; parts come from `part`. */
function pairsOf(schema: fc.Arbitrary<AnySchema>, part: fc.Arbitrary<AnySchema>) {
  return fc.oneof(
    { weight: 1, arbitrary: fc.tuple(schema, schema) },
    { weight: 4, arbitrary: schema.chain((one) => fc.tuple(fc.constant(one), edited(one, part))) },
  )
}

const list = (value: unknown): readonly never[] => (value ?? []) as readonly never[]

/** Values that `schema` probably takes, the ones at its bounds above all; the caller sorts out the others. */
function valuesOf(schema: AnySchema): fc.Arbitrary<unknown> {
  if (typeof schema === 'boolean') return anyValue
  if ('const' in schema) return fc.constant(schema['const'])
  if ('enum' in schema) return fc.constantFrom(...list(schema['enum']))
  if ('anyOf' in schema) return fc.oneof(...list(schema['anyOf']).map(valuesOf))
  const numberAt = (keyword: string, otherwise: number): number =>
    (schema[keyword] as number | undefined) ?? otherwise
  const makers: Record<string, () => fc.Arbitrary<unknown>> = {
    null: () => fc.constant(null),
    boolean: () => fc.boolean(),
    integer: () => numbersOf(schema).map(Math.round),
    number: () => numbersOf(schema),
    string: () => {
      const length = fc.constantFrom(numberAt('minLength', 0), numberAt('maxLength', 5), 3)
      const text = length.chain((characters) =>
        fc.string({
          unit: fc.constantFrom('a', 'b', 'x', '1'),
          minLength: characters,
          maxLength: characters,
        }),
      )
      return fc.oneof(text, fc.constantFrom('2026-11-20', '0193e7a0-0000-7000-8000-000000000000'))
    },
    array: () => {
      const prefix = list(schema['prefixItems'])
      const rest = (schema['items'] ?? true) as AnySchema
      const length = fc.constantFrom(numberAt('minItems', 0), numberAt('maxItems', 3), prefix.length, 2)
      return length.chain((items) =>
        fc.tuple(...Array.from({ length: items }, (_, index) => valuesOf(prefix[index] ?? rest))),
      )
    },
    object: () => objectsOf(schema),
  }
  const types = typeof schema['type'] === 'string' ? [schema['type']] : list(schema['type'])
  const chosen = types.length > 0 ? types : ['null', 'boolean', 'number', 'string', 'array', 'object']
  return fc.oneof(...chosen.map((type) => (makers[type] as () => fc.Arbitrary<unknown>)()))
}

function numbersOf(schema: JsonSchema): fc.Arbitrary<number> {
  const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].map(
    (keyword) => schema[keyword],
  )
  const near = fc.tuple(fc.constantFrom(...bounds, 0, 3), fc.constantFrom(-1, -0.5, 0, 0.5, 1))
  return near.map(([bound, by]) => ((bound as number | undefined) ?? 0) + by)
}

function objectsOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const fields = (schema['properties'] ?? {}) as Record<string, AnySchema>
  const named = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, valuesOf(field)]))
  const others = [
    schema['additionalProperties'] ?? true,
    ...Object.values((schema['patternProperties'] ?? {}) as object),
  ]
  const other = fc.oneof(...others.map((rule) => valuesOf(rule as AnySchema)))
  const more = fc.dictionary(fc.constantFrom('a', 'b', 'x', 'x1', 'z', 'z1'), other, {
    maxKeys: 3,
    noNullPrototype: true,
  })
  const required = list(schema['required']).filter((name) => Object.hasOwn(fields, name))
  return fc
    .tuple(more, fc.record(named, { requiredKeys: required, noNullPrototype: true }))
    .map(([extra, known]) => ({ ...extra, ...(known as object) }))
}

const anyPairs = {
  'of every kind': pairsOf(anySchema, anySchema),
  'of objects': pairsOf(objectsOfFields(anyPlain), anyPlain),
  'of lists': pairsOf(listsOfItems(anyPlain), anyPlain),
}

const whys = (from: TSchema | AnySchema, to: TSchema | AnySchema): string[] =>
  narrowings(from as AnySchema, to as AnySchema).map(({ path, why }: Narrowing) => `${path} ${why}`)

describe('narrowings', () => {
  for (const [kind, anyPair] of Object.entries(anyPairs)) {
    it(`narrowings ${kind} are none only if every value of the one schema is one of the other`, () => {
      const anyCase = anyPair.chain(([from, to]) =>
        fc.record({
          from: fc.constant(from),
          to: fc.constant(to),
          values: fc.array(valuesOf(from), { minLength: 12, maxLength: 12, size: 'max' }),
        }),
      )
      let compatiblePairs = 0
      let refusedPairs = 0
      fc.assert(
        fc.property(anyCase, ({ from, to, values }) => {
          const valid = values.filter((value) => accepts(from, value))
          const refused = valid.filter((value) => !accepts(to, value))
          if (refused.length > 0) refusedPairs++
          if (narrowings(from, to).length > 0) return
          assert.deepEqual(refused, [])
          if (valid.length > 0) compatiblePairs++
        }),
        { numRuns: 600 },
      )
      // Otherwise the law above would say little.
      assert.ok(compatiblePairs > 40 && refusedPairs > 40, `${compatiblePairs}, ${refusedPairs}`)
    })
  }

  it('narrowings of a schema to itself, to a copy and to everything are none', () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        assert.deepEqual(narrowings(schema, schema), [])
        assert.deepEqual(narrowings(schema, structuredClone(schema)), [])
        assert.deepEqual(narrowings(schema, true), [])
        assert.deepEqual(narrowings(false, schema), [])
      }),
    )
  })

  it('narrowings do not see what says nothing about values', () => {
    const noted = Type.Object(
      { title: Type.String({ default: 'x', description: 'a title' }) },
      { title: 'Noted', examples: [{ title: 'y' }] },
    )
    const plain = Type.Object({ title: Type.String() })
    assert.deepEqual(whys(noted, plain), [])
    assert.deepEqual(whys(plain, noted), [])
  })

  it('narrowings say where and what', () => {
    const from = closed(
      Type.Object({
        name: Type.String({ maxLength: 50 }),
        tags: Type.Array(Type.String()),
        size: Type.Union([Type.Number(), Type.Null()]),
        color: Type.Enum(['red', 'blue']),
        old: Type.Optional(Type.Boolean()),
      }),
    )
    const to = closed(
      Type.Object({
        name: Type.String({ maxLength: 40, pattern: '^[a-z]*$' }),
        tags: Type.Array(Type.String({ minLength: 1 }), { maxItems: 3 }),
        size: Type.Integer({ exclusiveMinimum: 0 }),
        color: Type.Enum(['red', 'green']),
        owner: Type.String(),
      }),
    )
    assert.deepEqual(whys(from, to), [
      '/required/owner lacks owner',
      '/properties/name/maxLength has a length of more than 40',
      '/properties/name/pattern does not match ^[a-z]*$',
      '/properties/tags/maxItems has a number of items of more than 3',
      '/properties/tags/items/minLength has a length of less than 1',
      '/properties/size/anyOf/0/type has a fraction',
      '/properties/size/anyOf/0/exclusiveMinimum is below 1',
      '/properties/size is null',
      '/properties/color is "blue"',
      '/properties/old is not taken at all',
    ])
  })

  it('narrowings understand tuples, written as typebox or as JSON Schema does', () => {
    const pair = Type.Tuple([Type.String(), Type.Integer()])
    const wider = Type.Tuple([Type.String(), Type.Number()])
    const standard = {
      type: 'array',
      prefixItems: [{ type: 'string' }, { type: 'integer' }],
      items: false,
      minItems: 2,
    }
    assert.deepEqual(whys(pair, standard), [])
    assert.deepEqual(whys(standard, pair), [])
    assert.deepEqual(whys(pair, wider), [])
    assert.deepEqual(whys(wider, pair), ['/prefixItems/1/type has a fraction'])
    assert.deepEqual(whys(pair, Type.Array(Type.Union([Type.String(), Type.Integer()]))), [])
  })

  it('narrowings understand records', () => {
    const record = (value: TSchema): TSchema => Type.Record(Type.String(), value)
    assert.deepEqual(whys(record(Type.Integer()), record(Type.Number())), [])
    assert.deepEqual(whys(record(Type.Number()), record(Type.Integer())), [
      '/patternProperties/^.*$/type has a fraction',
    ])
    assert.deepEqual(whys(closed(Type.Object({ a: Type.Integer() })), record(Type.Integer())), [])
  })

  it('narrowings know that a field may have several rules: by its name and by every pattern', () => {
    const object = (patternProperties: JsonSchema, properties: JsonSchema = {}): JsonSchema => ({
      type: 'object',
      properties,
      patternProperties,
      additionalProperties: false,
    })
    const [text, whole] = [{ type: 'string' }, { type: 'integer' }]
    assert.deepEqual(whys(object({ '^a': text }), object({ '^a': text, b$: whole })), [
      '/patternProperties/b$ is a string',
    ])
    assert.deepEqual(
      whys(object({ '^a': {} }, { ab: whole }), object({ '^a': {} }, { ab: { type: 'number' } })),
      [],
    )
    assert.deepEqual(whys(object({ '^a': whole }, { ab: {} }), object({ '^a': whole }, { ab: whole })), [])
  })

  it('narrowings compare an alternative with the one it fits best', () => {
    const shape = (kind: string, size: TSchema): TSchema => Type.Object({ kind: Type.Literal(kind), size })
    const from = Type.Union([shape('circle', Type.Integer()), shape('square', Type.Number())])
    const to = Type.Union([shape('circle', Type.Integer()), shape('square', Type.Integer())])
    assert.deepEqual(whys(from, to), ['/anyOf/1/properties/size/type has a fraction'])
    assert.deepEqual(whys(to, from), [])
  })

  it('narrowings try listed values one by one, but not those the list itself refuses', () => {
    assert.deepEqual(whys({ enum: ['a', 1, null] }, Type.Union([Type.String(), Type.Number()])), [' is null'])
    assert.deepEqual(whys({ type: 'string', enum: ['a', 1] }, Type.String()), [])
    assert.deepEqual(whys(Type.String(), { enum: ['a', 'b'] }), [' is none of ["a","b"]'])
    assert.deepEqual(whys(Type.String(), { const: 'a' }), [' is none of ["a"]'])
  })

  it('narrowings take bounds of whole numbers for what they are', () => {
    assert.deepEqual(whys(Type.Integer({ exclusiveMinimum: 0 }), Type.Integer({ minimum: 1 })), [])
    assert.deepEqual(whys(Type.Number({ exclusiveMinimum: 0 }), Type.Number({ minimum: 1 })), [
      '/minimum is below 1',
    ])
    assert.deepEqual(whys(Type.Number({ maximum: 5 }), Type.Number({ exclusiveMaximum: 5 })), [
      '/maximum is 5',
    ])
  })

  it('narrowings take any change of what they do not understand for one, and no change for none', () => {
    const schemas: readonly JsonSchema[] = [
      { type: 'string', contentEncoding: 'base64' },
      { type: 'object', propertyNames: { maxLength: 3 } },
      { allOf: [{ type: 'string' }] },
      { $ref: '#/$defs/a' },
      { not: { type: 'string' } },
      { type: 'void' },
      { type: 'string', anyOf: [{ minLength: 1 }] },
    ]
    for (const [index, schema] of schemas.entries()) {
      assert.deepEqual(whys({ ...schema, title: 'x' }, schema), [])
      for (const [other, next] of schemas.entries()) {
        if (index !== other) assert.notDeepEqual(whys(schema, next), [], `${index}, ${other}`)
      }
    }
    const unevaluated = { type: 'object', unevaluatedProperties: false }
    const withFields = (...names: string[]): JsonSchema => ({
      ...unevaluated,
      properties: Object.fromEntries(names.map((name) => [name, {}])),
    })
    assert.notDeepEqual(whys(withFields('a', 'b'), withFields('a')), [])
  })
})
