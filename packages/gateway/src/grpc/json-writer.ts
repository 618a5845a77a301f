/**
 * A message written as JSON. What a field without presence does not say is written as its default, so that answers always have the
 * same fields. Pure.
 *
 * @source protobuf.dev, "ProtoJSON format"
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { isWrapper } from './json-reader.ts'
import { defaultOf, writeScalar } from './scalars.ts'
import type { FieldShape, Fields, MessageShape, ScalarType, Shape } from './shape.ts'
import { wellKnown } from './well-known.ts'

/** How a 64-bit number is told that is the name of a value in a map: as eight characters. */
type KeyOf = (type: ScalarType, key: string) => string

/**
 * The JSON of a message.
 *
 * @throws FlotillaError `internal` when it holds a message of a type that no file tells of.
 */
export function writeMessage(shape: MessageShape, fields: Fields): unknown {
  const its = wellKnown.get(shape.name)
  if (its !== undefined) return its.write(fields)
  if (isWrapper(shape.name)) return writeField(shape.field('value') as FieldShape, fields)
  if (shape.name === 'google.protobuf.Any') return writeAny(shape, fields)
  return Object.fromEntries(
    shape.fields
      .filter(({ name, hasPresence }) => !hasPresence || Object.hasOwn(fields, name))
      .map((field) => [field.jsonName, writeField(field, fields)]),
  )
}

/** The JSON of one of its fields. */
export function writeField({ name, repeat, shape, key }: FieldShape, fields: Fields): unknown {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (repeat === 'list') return ((value ?? []) as readonly unknown[]).map((item) => writeOne(shape, item))
  if (repeat === 'one') return value === undefined ? defaultFor(shape) : writeOne(shape, value)
  return Object.fromEntries(
    Object.entries(value ?? {}).map(([its, item]) => [keyOf(key as ScalarType, its), writeOne(shape, item)]),
  )
}

function writeOne(shape: Shape, value: unknown): unknown {
  if (shape.kind === 'scalar') return writeScalar(shape.name, value)
  if (shape.kind === 'message') return writeMessage(shape, value as Fields)
  if (shape.name === 'google.protobuf.NullValue') return null
  return shape.names.get(value as number) ?? value
}

function defaultFor(shape: Shape): unknown {
  if (shape.kind === 'scalar') return defaultOf(shape.name)
  return shape.kind === 'enum' ? writeOne(shape, 0) : null
}

function writeAny(shape: MessageShape, { type_url: url = '', value }: Fields): unknown {
  const name = String(url).slice(String(url).lastIndexOf('/') + 1)
  if (name === '') return {}
  const type = shape.other(name)
  if (type === undefined)
    throw new FlotillaError('internal', `There is no message ${name} in the .proto files.`)
  const json = writeMessage(type, type.decode((value ?? new Uint8Array()) as Uint8Array))
  return wellKnown.has(name) || isWrapper(name)
    ? { '@type': url, value: json }
    : { '@type': url, ...(json as object) }
}

/** The library keeps numbers of 64 bits that are names as eight characters, the lowest byte first. */
const keyOf: KeyOf = (type, key) => {
  if (!type.endsWith('64') || key.length !== 8) return key
  const number = Buffer.from(key, 'latin1').readBigUInt64LE()
  return String(type === 'uint64' || type === 'fixed64' ? number : BigInt.asIntN(64, number))
}
