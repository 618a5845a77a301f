/**
 * Shapes of data: typebox schemas (which *are* JSON Schema 2020-12), compiled to checks of well under a microsecond.
 *
 * @module
 */
import Type, { type Static, type TSchema } from 'typebox'
import Schema from 'typebox/schema'
import { Settings } from 'typebox/system'
import type { Issue } from '../kernel/error.ts'
import { pointerTo } from '../kernel/json.ts'

// Re-exported on purpose: a contract is written against this one module.
export { type Static, type TSchema, Type }

/** Says what is wrong with a value; undefined when nothing is. At most 20 issues. */
export type Check = (value: unknown) => readonly Issue[] | undefined

const ISSUES_MAX = 20
// Of several errors an issue is made; typebox would stop at eight errors.
Settings.Set({ maxErrors: 4 * ISSUES_MAX })

/** A schema as the plain JSON it is. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Keywords whose values are data, not schemas. */
const DATA_KEYWORDS: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples'])
/** Keywords whose values are schemas by name: in there, `default` is a field like any other. */
const NAMING_KEYWORDS: ReadonlySet<string> = new Set(['properties', 'patternProperties'])

/** The same schema with `change` applied to every part of it, inner ones first. */
export function mapSchema(schema: TSchema, change: (schema: JsonSchema) => JsonSchema): TSchema {
  return mapPart(schema, change) as TSchema
}

function mapPart(part: unknown, change: (schema: JsonSchema) => JsonSchema): unknown {
  if (Array.isArray(part)) return part.map((item) => mapPart(item, change))
  if (typeof part !== 'object' || part === null) return part
  const schema: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(part)) {
    if (DATA_KEYWORDS.has(keyword)) schema[keyword] = value
    else if (NAMING_KEYWORDS.has(keyword))
      schema[keyword] = mapValues(value, (named) => mapPart(named, change))
    else schema[keyword] = mapPart(value, change)
  }
  return change(schema)
}

function mapValues(values: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
}

/**
 * The same schema with every object closed: a field it does not name is refused. Objects that say themselves
 * what else they take (`additionalProperties`, or the patterns of a `Type.Record`) stay as they are.
 */
export function closed(schema: TSchema): TSchema {
  return mapSchema(schema, (part) => {
    const isObject = part['type'] === 'object' && typeof part['properties'] === 'object'
    const isOpen = isObject && !('additionalProperties' in part) && !('patternProperties' in part)
    return isOpen ? { ...part, additionalProperties: false } : part
  })
}

/** The same schema with every object open again: what a reader takes, who ignores fields it does not know. */
export function opened(schema: JsonSchema): JsonSchema {
  return mapSchema(schema as TSchema, (part) => {
    const isClosing = ([keyword, value]: readonly [string, unknown]): boolean =>
      (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') && value === false
    return Object.fromEntries(Object.entries(part).filter((entry) => !isClosing(entry)))
  }) as JsonSchema
}

/** The schema as standard JSON Schema 2020-12: typebox writes tuples as the drafts before did. */
export function toJsonSchema(schema: TSchema): JsonSchema {
  return mapSchema(schema, ({ items, additionalItems, ...others }) => {
    if (!Array.isArray(items)) return items === undefined ? others : { ...others, items }
    return {
      ...others,
      ...(items.length > 0 ? { prefixItems: items } : {}),
      ...(additionalItems === undefined ? {} : { items: additionalItems }),
    }
  }) as JsonSchema
}

/** True when `value` is valid. Slower than a check, but nothing is compiled: for schemas used once. */
export function accepts(schema: JsonSchema | boolean, value: unknown): boolean {
  return Schema.Check(schema as TSchema, value)
}

/** The same as a check says, without compiling: for what is looked at once. */
export function issuesIn(schema: TSchema, value: unknown): ReturnType<Check> {
  if (Schema.Check(schema, value)) return undefined
  const [, errors] = Schema.Errors(schema, value)
  return issuesOf(errors as readonly SchemaError[])
}

/** Compiles `schema` at the first use: a process that never calls an operation never pays for its check. */
export function lazyCheck(schema: TSchema): Check {
  let check: Check = (value) => {
    const compiled = Schema.Compile(schema)
    check = (candidate) => {
      if (compiled.Check(candidate)) return undefined
      const [, errors] = compiled.Errors(candidate)
      return issuesOf(errors as readonly SchemaError[])
    }
    return check(value)
  }
  return (value) => check(value)
}

interface SchemaError {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly message: string
  readonly params: Readonly<Record<string, unknown>>
}

/** One issue a field, in words a caller understands. */
function issuesOf(errors: readonly SchemaError[]): readonly Issue[] {
  const issues = new Map<string, Issue>()
  const add = (pointer: string, message: string): void => {
    if (issues.size < ISSUES_MAX && !issues.has(pointer)) issues.set(pointer, { pointer, message })
  }
  for (const { keyword, schemaPath, instancePath, message, params } of errors) {
    if (keyword === 'required') {
      for (const name of params['requiredProperties'] as string[])
        add(`${instancePath}${pointerTo(name)}`, 'is required')
    } else if (keyword === 'boolean') {
      // A part of the schema that is `false`: how a closed object refuses what it does not name.
      const isField = schemaPath.endsWith('/additionalProperties')
      add(instancePath, isField ? 'is not a known field' : 'is not allowed')
    } else if (keyword !== 'additionalProperties') add(instancePath, message)
  }
  return issues.size > 0 ? [...issues.values()] : [{ pointer: '', message: 'does not fit the schema' }]
}

/** An opaque identifier. */
export const Id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' })

/** A point in time, ISO 8601 in UTC. */
export const Time = Type.String({ format: 'date-time' })

/** Money: integer minor units (cents) and an ISO 4217 code. */
export const Money = Type.Object(
  { amount: Type.Integer(), currency: Type.String({ pattern: '^[A-Z]{3}$' }) },
  { title: 'Money' },
)

/** Money as a value. */
export type Money = Static<typeof Money>

/** The input of an operation that takes none. */
export const Nothing = Type.Object({})

/** One page of a list: at most `limit` items, and where to go on. */
export function Page<T extends TSchema>(item: T): ReturnType<typeof pageOf<T>> {
  return pageOf(item)
}

function pageOf<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })
}

/** The two fields by which a list is paged: how many items, and the `nextCursor` of the page before. */
export const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
}
