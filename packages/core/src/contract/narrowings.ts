/**
 * Which values that one JSON Schema takes may another refuse?
 *
 * A schema is taken apart into alternatives, each of one JSON type: `anyOf`, a list of types and no type at all are
 * several. Every alternative of the one schema must fit into an alternative of the other, keyword by keyword; where
 * there are only so many values (`const`, `enum`, booleans, null) each is tried. The answer errs to one side only: it
 * may name a reason where there is none (a range that two alternatives cover together, a pattern written otherwise),
 * but never misses one. Keywords it does not know must be the same on both sides.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { pointerTo } from '../kernel/json.ts'
import { accepts, type JsonSchema, mapSchema, type TSchema, toJsonSchema } from './schema.ts'

/** A schema, or the word for everything or nothing. */
type AnySchema = JsonSchema | boolean

/** One reason why a value that is valid under `from` may be invalid under `to`. */
export interface Narrowing {
  /** Where in the schemas, as a JSON pointer; a required field is at `/required/<name>`. */
  readonly path: string
  /** What stands there in `from`; undefined when nothing does. */
  readonly from: unknown
  readonly to: unknown
  /** What is true of such a value, such as `is above 100` or `lacks quantity`. */
  readonly why: string
}

/**
 * The reasons why a value valid under `from` may be invalid under `to`; none is a proof that there is no such value.
 *
 * @example
 * ```ts
 * import { narrowings } from '@flotilla/core/narrowings'
 * assert.deepEqual(narrowings({ type: 'integer', minimum: 1 }, { type: 'number' }), [])
 * assert.equal(narrowings({ type: 'number' }, { type: 'integer' })[0]?.why, 'has a fraction')
 * ```
 */
export function narrowings(from: AnySchema, to: AnySchema): readonly Narrowing[] {
  return compare(withoutAnnotations(from), withoutAnnotations(to), '')
}

/** Keywords that say something about values without deciding which are valid. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$comment',
  '$schema',
  'default',
  'deprecated',
  'description',
  'examples',
  'readOnly',
  'title',
  'writeOnly',
])

function withoutAnnotations(schema: AnySchema): JsonSchema {
  if (typeof schema === 'boolean') return schema ? {} : NOTHING
  return mapSchema(toJsonSchema(schema as TSchema) as TSchema, (part) => {
    return Object.fromEntries(Object.entries(part).filter(([keyword]) => !ANNOTATIONS.has(keyword)))
  }) as JsonSchema
}

const NOTHING: JsonSchema = { not: {} }

function compare(fromSchema: AnySchema, toSchema: AnySchema, path: string): readonly Narrowing[] {
  if (isDeepStrictEqual(fromSchema, toSchema)) return []
  const from = asObject(fromSchema)
  const to = asObject(toSchema)
  if (isAnything(to) || isNothing(from)) return []
  const reason = (why: string): Narrowing => ({ path, from: shown(fromSchema), to: shown(toSchema), why })
  if (isNothing(to)) return [reason('is not taken at all')]
  if (isAnything(from)) return [reason('is anything')]
  const strange = strangeKeywords(from, to, path)
  if (strange.length > 0) return strange
  return alternativesOf(from, path).flatMap((alternative) => {
    if ('values' in alternative) {
      const refused = alternative.values.filter((value) => !accepts(to, value))
      return refused.length === 0 ? [] : [reason(`is ${refused.map(show).join(' or ')}`)]
    }
    const { type } = alternative
    const isListed = 'const' in to || 'enum' in to
    const why = isListed ? `is none of ${show(to['enum'] ?? [to['const']])}` : `is ${WITH_ARTICLE[type]}`
    return bestFit(alternative, alternativesOf(to, path)) ?? [reason(why)]
  })
}

/** A field that nobody names and a place that takes nothing have no schema to show. */
function shown(schema: AnySchema): unknown {
  return typeof schema === 'boolean' ? undefined : schema
}

/** `value` in few words, for a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function asObject(schema: AnySchema): JsonSchema {
  return schema === true ? {} : schema === false ? NOTHING : schema
}

function isAnything(schema: JsonSchema): boolean {
  return Object.keys(schema).length === 0
}

function isNothing(schema: AnySchema): boolean {
  return schema === false || isDeepStrictEqual((schema as JsonSchema)['not'], {})
}

const KNOWN_KEYWORDS: ReadonlySet<string> = new Set([
  'additionalProperties',
  'anyOf',
  'const',
  'enum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'pattern',
  'patternProperties',
  'prefixItems',
  'properties',
  'required',
  'type',
  'uniqueItems',
])
/** What these refuse depends on the keywords beside them, so beside them nothing may change. */
const KEYWORDS_OF_THE_WHOLE: readonly string[] = ['unevaluatedItems', 'unevaluatedProperties']

function strangeKeywords(from: JsonSchema, to: JsonSchema, path: string): readonly Narrowing[] {
  const keywords = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  const isStrange = isBeyondUs(from) || isBeyondUs(to)
  const changed = keywords.filter((keyword) => {
    const isUnderstood = !isStrange && isClear(keyword, from) && isClear(keyword, to)
    return !isUnderstood && !isDeepStrictEqual(from[keyword], to[keyword])
  })
  return changed.map((keyword) => ({
    path: `${path}/${keyword}`,
    from: from[keyword],
    to: to[keyword],
    why: `is refused by ${keyword}, whose changes are not understood here`,
  }))
}

function isBeyondUs(schema: JsonSchema): boolean {
  const isWhole = KEYWORDS_OF_THE_WHOLE.some((keyword) => keyword in schema)
  return isWhole || !typesOf(schema).every((type) => type === 'integer' || Object.hasOwn(WITH_ARTICLE, type))
}

function isClear(keyword: string, schema: JsonSchema): boolean {
  // Beside `anyOf` other keywords bind every alternative; contracts have no need of that.
  if (keyword === 'anyOf' && keyword in schema) return Object.keys(schema).length === 1
  return KNOWN_KEYWORDS.has(keyword)
}

const WITH_ARTICLE = {
  null: 'null',
  boolean: 'a boolean',
  number: 'a number',
  string: 'a string',
  array: 'a list',
  object: 'an object',
} as const
type JsonType = keyof typeof WITH_ARTICLE

/** Part of what a schema takes: some values, or those of one type that its keywords let through. */
type Alternative =
  | { readonly values: readonly unknown[] }
  | {
      readonly type: JsonType
      readonly isInteger: boolean
      readonly schema: JsonSchema
      readonly path: string
    }
type Typed = Exclude<Alternative, { readonly values: unknown }>

function alternativesOf(schema: JsonSchema, path: string): readonly Alternative[] {
  if (isNothing(schema)) return []
  if ('const' in schema || 'enum' in schema) {
    const values = 'const' in schema ? [schema['const']] : (schema['enum'] as readonly unknown[])
    return [{ values: values.filter((value) => accepts(schema, value)) }]
  }
  const { anyOf } = schema
  if (Array.isArray(anyOf) && Object.keys(schema).length === 1) {
    return anyOf.flatMap((part, index) => alternativesOf(asObject(part), `${path}/anyOf/${index}`))
  }
  return typesOf(schema).map((type) => {
    if (type === 'null') return { values: [null] }
    if (type === 'boolean') return { values: [true, false] }
    const isInteger = type === 'integer'
    return { type: isInteger ? 'number' : (type as JsonType), isInteger, schema, path }
  })
}

function typesOf({ type }: JsonSchema): readonly string[] {
  if (type === undefined) return Object.keys(WITH_ARTICLE)
  return Array.isArray(type) ? type : [type as string]
}

/** What keeps `from` out of the alternative it fits best; undefined when none is of its type. */
function bestFit(from: Typed, alternatives: readonly Alternative[]): readonly Narrowing[] | undefined {
  let best: readonly Narrowing[] | undefined
  for (const to of alternatives) {
    if ('values' in to || to.type !== from.type) continue
    const found = compareTyped[from.type](from, to)
    if (best === undefined || found.length < best.length) best = found
  }
  return best
}

const compareTyped: Readonly<Record<JsonType, (from: Typed, to: Typed) => readonly Narrowing[]>> = {
  // These two never come here: they are values.
  null: () => [],
  boolean: () => [],
  number: compareNumbers,
  string: compareStrings,
  array: compareArrays,
  object: compareObjects,
}

/** One narrowing at a keyword if `isNarrower`, none if not. */
function when(
  isNarrower: boolean,
  keyword: string,
  from: Typed,
  to: Typed,
  why: string,
): readonly Narrowing[] {
  if (!isNarrower) return []
  return [{ path: `${from.path}/${keyword}`, from: from.schema[keyword], to: to.schema[keyword], why }]
}

const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise

/** `from` has at least `fromMin` of something, and so must everything in `to`. */
function compareMin(keyword: string, fromMin: number, from: Typed, to: Typed, why: string) {
  const toMin = numberOr(to.schema[keyword], 0)
  return when(fromMin < toMin, keyword, from, to, `${why} less than ${toMin}`)
}

function compareMax(keyword: string, fromMax: number, from: Typed, to: Typed, why: string) {
  const toMax = numberOr(to.schema[keyword], Number.POSITIVE_INFINITY)
  return when(fromMax > toMax, keyword, from, to, `${why} more than ${toMax}`)
}

function compareStrings(from: Typed, to: Typed): readonly Narrowing[] {
  const { minLength, maxLength, pattern, format } = from.schema
  const isOther = (keyword: string, value: unknown): boolean => {
    return keyword in to.schema && to.schema[keyword] !== value
  }
  return [
    ...compareMin('minLength', numberOr(minLength, 0), from, to, 'has a length of'),
    ...compareMax('maxLength', numberOr(maxLength, Number.POSITIVE_INFINITY), from, to, 'has a length of'),
    ...when(
      isOther('pattern', pattern),
      'pattern',
      from,
      to,
      `does not match ${String(to.schema['pattern'])}`,
    ),
    ...when(isOther('format', format), 'format', from, to, `is no ${String(to.schema['format'])}`),
  ]
}

interface Bound {
  readonly value: number
  readonly isExclusive: boolean
}

/** The upper bound if `sign` is 1; if it is -1, the lower one turned into an upper one. */
function boundOf({ schema, isInteger }: Typed, sign: 1 | -1): Bound {
  const [inclusive, exclusive] =
    sign === 1 ? ['maximum', 'exclusiveMaximum'] : ['minimum', 'exclusiveMinimum']
  const including = numberOr(schema[inclusive as string], sign * Number.POSITIVE_INFINITY) * sign
  const excluding = numberOr(schema[exclusive as string], sign * Number.POSITIVE_INFINITY) * sign
  const isExclusive = excluding <= including && excluding < Number.POSITIVE_INFINITY
  const value = Math.min(including, excluding)
  if (!isInteger) return { value, isExclusive }
  return { value: isExclusive ? Math.ceil(value) - 1 : Math.floor(value), isExclusive: false }
}

function compareBound(sign: 1 | -1, from: Typed, to: Typed): readonly Narrowing[] {
  const [ours, theirs] = [boundOf(from, sign), boundOf(to, sign)]
  const isTouching = ours.value === theirs.value && theirs.isExclusive && !ours.isExclusive
  const keyword = sign === 1 ? 'maximum' : 'minimum'
  const exclusiveKeyword = sign === 1 ? 'exclusiveMaximum' : 'exclusiveMinimum'
  const side = sign === 1 ? 'above' : 'below'
  const bound = theirs.value * sign
  const beyond = theirs.isExclusive ? `${bound} or ${side}` : `${side} ${bound}`
  return when(
    ours.value > theirs.value || isTouching,
    from.schema[keyword] === to.schema[keyword] ? exclusiveKeyword : keyword,
    from,
    to,
    `is ${isTouching ? bound : beyond}`,
  )
}

function compareNumbers(from: Typed, to: Typed): readonly Narrowing[] {
  const { multipleOf: step } = to.schema
  const ownStep = from.schema['multipleOf'] ?? (from.isInteger ? 1 : undefined)
  const isOnStep = step === undefined || step === ownStep || isWholeMultiple(ownStep, step)
  const isWhole = from.isInteger || isWholeMultiple(ownStep, 1)
  return [
    ...when(to.isInteger && !isWhole, 'type', from, to, 'has a fraction'),
    ...compareBound(-1, from, to),
    ...compareBound(1, from, to),
    ...when(!isOnStep, 'multipleOf', from, to, `is no multiple of ${String(step)}`),
  ]
}

/** True when both are whole and every multiple of `one` is one of `other`; fractions are not trusted to divide. */
function isWholeMultiple(one: unknown, other: unknown): boolean {
  return Number.isInteger(one) && Number.isInteger(other) && (one as number) % (other as number) === 0
}

function compareArrays(from: Typed, to: Typed): readonly Narrowing[] {
  const positions = Math.max(prefixOf(from).length, prefixOf(to).length)
  const itemsMax = itemsMaxOf(from)
  const found = [
    ...compareMin('minItems', numberOr(from.schema['minItems'], 0), from, to, 'has a number of items of'),
    ...compareMax('maxItems', itemsMax, from, to, 'has a number of items of'),
  ]
  const isUnique = from.schema['uniqueItems'] === true || itemsMax < 2
  found.push(
    ...when(to.schema['uniqueItems'] === true && !isUnique, 'uniqueItems', from, to, 'repeats items'),
  )
  for (let index = 0; index < positions && index < itemsMax; index++) {
    found.push(...compare(itemAt(from, index), itemAt(to, index), `${from.path}/prefixItems/${index}`))
  }
  if (itemsMax > positions) {
    found.push(...compare(itemAt(from, positions), itemAt(to, positions), `${from.path}/items`))
  }
  return found
}

function prefixOf({ schema }: Typed): readonly AnySchema[] {
  return (schema['prefixItems'] ?? []) as readonly AnySchema[]
}

function itemAt(array: Typed, index: number): AnySchema {
  return prefixOf(array)[index] ?? ((array.schema['items'] ?? true) as AnySchema)
}

/** How many items there can be: positions from the first impossible one on stay empty. */
function itemsMaxOf(array: Typed): number {
  const impossible = [...prefixOf(array), itemAt(array, Number.POSITIVE_INFINITY)].findIndex(isNothing)
  const possible = impossible < 0 ? Number.POSITIVE_INFINITY : impossible
  return Math.min(numberOr(array.schema['maxItems'], Number.POSITIVE_INFINITY), possible)
}

type Fields = Readonly<Record<string, AnySchema>>

const fieldsOf = ({ schema }: Typed): Fields => (schema['properties'] ?? {}) as Fields
const patternsOf = ({ schema }: Typed): Fields => (schema['patternProperties'] ?? {}) as Fields
const othersOf = ({ schema }: Typed): AnySchema => (schema['additionalProperties'] ?? true) as AnySchema
const requiredOf = ({ schema }: Typed): readonly string[] => (schema['required'] ?? []) as readonly string[]

/** Everything a field of this name must fit. */
function rulesOf(object: Typed, name: string): readonly AnySchema[] {
  const fields = fieldsOf(object)
  const rules = Object.entries(patternsOf(object))
    .filter(([pattern]) => new RegExp(pattern, 'u').test(name))
    .map(([, rule]) => rule)
  if (Object.hasOwn(fields, name)) rules.push(fields[name] as AnySchema)
  return rules.length > 0 ? rules : [othersOf(object)]
}

function compareObjects(from: Typed, to: Typed): readonly Narrowing[] {
  const required = requiredOf(from)
  const lacking = requiredOf(to).filter((name) => !required.includes(name))
  const names = new Set([...Object.keys(fieldsOf(from)), ...Object.keys(fieldsOf(to))])
  return [
    ...lacking.map((name) => ({
      path: `${from.path}/required${pointerTo(name)}`,
      from: undefined,
      to: name,
      why: `lacks ${name}`,
    })),
    ...[...names].flatMap((name) => compareField(name, from, to)),
    ...comparePatterns(from, to),
    ...compareMin('minProperties', fieldsMinOf(from), from, to, 'has a number of fields of'),
    ...compareMax('maxProperties', fieldsMaxOf(from), from, to, 'has a number of fields of'),
  ]
}

/** A field must fit every rule of `to`; for each of them it is enough that one rule of `from` sees to it. */
function compareField(name: string, from: Typed, to: Typed): readonly Narrowing[] {
  const rules = rulesOf(from, name)
  const path = `${from.path}/properties${pointerTo(name)}`
  return rulesOf(to, name).flatMap((toRule) => {
    const found = rules.map((rule) => compare(rule, toRule, path))
    return found.reduce((best, next) => (next.length < best.length ? next : best))
  })
}

/** The fields that neither side names: those by pattern, then all others. */
function comparePatterns(from: Typed, to: Typed): readonly Narrowing[] {
  const [ours, theirs] = [patternsOf(from), patternsOf(to)]
  const others = othersOf(from)
  const found = [...compare(others, othersOf(to), `${from.path}/additionalProperties`)]
  for (const [pattern, rule] of Object.entries(ours)) {
    const path = `${from.path}/patternProperties${pointerTo(pattern)}`
    const toRule = Object.hasOwn(theirs, pattern) ? theirs[pattern] : undefined
    found.push(...compare(rule, toRule ?? othersOf(to), path))
  }
  for (const [pattern, toRule] of Object.entries(theirs)) {
    if (Object.hasOwn(ours, pattern)) continue
    // Whether two patterns meet in one name nobody can tell, so every rule of ours must fit this one.
    const path = `${from.path}/patternProperties${pointerTo(pattern)}`
    for (const rule of [others, ...Object.values(ours)]) found.push(...compare(rule, toRule, path))
  }
  return found
}

function fieldsMinOf(object: Typed): number {
  return Math.max(numberOr(object.schema['minProperties'], 0), requiredOf(object).length)
}

function fieldsMaxOf(object: Typed): number {
  const isClosed = isNothing(othersOf(object)) && Object.keys(patternsOf(object)).length === 0
  const named = isClosed ? Object.keys(fieldsOf(object)).length : Number.POSITIVE_INFINITY
  return Math.min(numberOr(object.schema['maxProperties'], Number.POSITIVE_INFINITY), named)
}
