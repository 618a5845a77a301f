/**
 * JSON read as a message, strictly: what the message does not have is an error, and so is what a field cannot hold. Pure.
 *
 * @source protobuf.dev, "ProtoJSON format"
 * @module
 */
import { FlotillaError, type Issue } from '@flotilla/core/error'
import { pointerTo } from '@flotilla/core/json'
import { expectedOf, readScalar } from './scalars.ts'
import type { FieldShape, Fields, MessageShape, ScalarType, Shape } from './shape.ts'
import { wellKnown } from './well-known.ts'

const ISSUES_MAX = 20
const NAMES_MAX = 20
const ANY = 'google.protobuf.Any'
const NULL = 'google.protobuf.NullValue'
/** Messages with one field, written as that field. */
const WRAPPER = /^google\.protobuf\.(?:Double|Float|U?Int(?:32|64)|Bool|String|Bytes)Value$/

/** True when in JSON it is one value rather than an object of fields. */
export function isWrapper(name: string): boolean {
  return WRAPPER.test(name)
}

/**
 * The fields of the message.
 *
 * @throws FlotillaError `invalid_argument` with an issue for everything that is wrong, at most 20.
 */
export function readMessage(shape: MessageShape, json: unknown): Fields {
  const issues: Issue[] = []
  const fields = new Reader(issues).message(shape, json, '')
  if (issues.length === 0) return fields
  const told = issues.slice(0, ISSUES_MAX)
  const [first] = told
  throw new FlotillaError(
    'invalid_argument',
    `The input is not valid: ${first?.pointer} ${first?.message}.`,
    {
      executed: 'no',
      issues: told,
    },
  )
}

class Reader {
  readonly #issues: Issue[]

  constructor(issues: Issue[]) {
    this.#issues = issues
  }

  message(shape: MessageShape, json: unknown, at: string): Fields {
    const its = wellKnown.get(shape.name)
    if (its !== undefined) return its.read(json) ?? this.#wrong(at, its.expected)
    if (isWrapper(shape.name))
      return { value: this.#one((shape.field('value') as FieldShape).shape, json, at) }
    if (!isObject(json)) return this.#wrong(at, 'must be an object')
    return shape.name === ANY ? this.#any(shape, json, at) : this.#fields(shape, json, at)
  }

  #fields(shape: MessageShape, json: Fields, at: string): Fields {
    const fields: Record<string, unknown> = {}
    const oneofs = new Map<string, string>()
    for (const [name, value] of Object.entries(json)) {
      const here = at + pointerTo(name)
      const field = shape.field(name)
      if (field === undefined) {
        this.#wrong(here, 'there is no such field')
        continue
      }
      if (value === null && !takesNull(field)) continue
      const other = field.oneof && oneofs.get(field.oneof)
      if (Object.hasOwn(fields, field.name)) this.#wrong(here, 'is said twice')
      else if (other) this.#wrong(here, `cannot be said together with ${other}`)
      if (field.oneof !== undefined) oneofs.set(field.oneof, field.jsonName)
      fields[field.name] = this.#field(field, value, here)
    }
    for (const { name, jsonName, isRequired } of shape.fields)
      if (isRequired && !Object.hasOwn(fields, name)) this.#wrong(at + pointerTo(jsonName), 'is needed')
    return fields
  }

  #field({ repeat, shape, key }: FieldShape, json: unknown, at: string): unknown {
    if (repeat === 'one') return this.#one(shape, json, at)
    if (repeat === 'list') {
      if (!Array.isArray(json)) return this.#wrong(at, 'must be a list')
      return json.map((item, index) => this.#one(shape, item, `${at}/${index}`))
    }
    if (!isObject(json)) return this.#wrong(at, 'must be an object')
    return Object.fromEntries(
      Object.entries(json).map(([name, value]) => {
        const here = at + pointerTo(name)
        return [this.#key(key as ScalarType, name, here), this.#one(shape, value, here)]
      }),
    )
  }

  #one(shape: Shape, json: unknown, at: string): unknown {
    if (shape.kind === 'message') return this.message(shape, json, at)
    if (shape.kind === 'scalar')
      return readScalar(shape.name, json) ?? this.#wrong(at, expectedOf(shape.name))
    if (shape.name === NULL && json === null) return 0
    const number = typeof json === 'string' ? shape.numbers.get(json) : readScalar('int32', json)
    if (number !== undefined) return number
    const names = [...shape.numbers.keys()]
    const others = names.length > NAMES_MAX ? ', …' : ''
    return this.#wrong(at, `must be one of ${names.slice(0, NAMES_MAX).join(', ')}${others}`)
  }

  #key(type: ScalarType, name: string, at: string): string {
    // The library takes any text that is not empty for true.
    if (type === 'bool' && (name === 'true' || name === 'false')) return name === 'true' ? name : ''
    const key = type === 'bool' ? undefined : readScalar(type, name)
    if (key === undefined) this.#wrong(at, `the name ${expectedOf(type)}`)
    return String(key)
  }

  #any(shape: MessageShape, json: Fields, at: string): Fields {
    const { '@type': url, ...rest } = json
    const name = typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : ''
    const type = name === '' ? undefined : shape.other(name)
    if (type === undefined) return this.#wrong(`${at}/@type`, 'must name a message that is known here')
    const isValue = wellKnown.has(name) || isWrapper(name)
    const before = this.#issues.length
    const fields = this.message(type, isValue ? rest['value'] : rest, isValue ? `${at}/value` : at)
    if (this.#issues.length > before) return {}
    return { type_url: url, value: type.encode(fields) }
  }

  /** Noted; what is given stands for the value until all is read. */
  #wrong(pointer: string, message: string): Record<string, never> {
    if (this.#issues.length < ISSUES_MAX) this.#issues.push({ pointer, message })
    return {}
  }
}

/** For all others null means that there is none. */
function takesNull({ repeat, shape }: FieldShape): boolean {
  return repeat === 'one' && (shape.name === NULL || shape.name === 'google.protobuf.Value')
}

function isObject(json: unknown): json is Fields {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
