/**
 * Messages of Protocol Buffers from strangers, read into what their JSON form would be. The library reads the scalars; the walk is our own,
 * because it has to be bounded: a few bytes can ask for a million objects.
 *
 * @source https://protobuf.dev/programming-guides/encoding/
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Reader } from 'protobufjs'
import type { Shape } from './otlp-shapes.ts'

const VALUES_MAX = 200_000
const DEPTH_MAX = 24
const LENGTH_DELIMITED = 2
const WIRE_TYPES: Readonly<Record<string, number>> = {
  uint32: 0,
  sint32: 0,
  int64: 0,
  uint64: 0,
  bool: 0,
  fixed64: 1,
  sfixed64: 1,
  double: 1,
}

/** A message as its JSON form has it, but for 64-bit numbers, which are decimal texts always. */
export type ReadMessage = Record<string, unknown>

/**
 * Reads one. Fields that the shape does not have are left out.
 *
 * @throws FlotillaError `invalid_argument` when it is none, or has more than 200,000 values or 24 levels.
 */
export function readMessage(
  reader: Reader,
  shapes: Readonly<Record<string, Shape>>,
  name: string,
): ReadMessage {
  try {
    return new Walk(reader, shapes).message(name, reader.len, 0)
  } catch (error) {
    if (error instanceof FlotillaError) throw error
    throw wrong('is not a message of Protocol Buffers', error)
  }
}

class Walk {
  readonly #reader: Reader
  readonly #shapes: Readonly<Record<string, Shape>>
  #values = 0

  constructor(reader: Reader, shapes: Readonly<Record<string, Shape>>) {
    this.#reader = reader
    this.#shapes = shapes
  }

  message(name: string, end: number, depth: number): ReadMessage {
    if (depth > DEPTH_MAX) throw wrong(`nests deeper than ${DEPTH_MAX} levels`)
    const reader = this.#reader
    const shape = this.#shapes[name] as Shape
    const message: ReadMessage = {}
    while (reader.pos < end) {
      const tag = reader.uint32()
      const [field, type = ''] = shape[tag >>> 3] ?? []
      if (field === undefined || !this.#isAsked(type, tag & 7)) this.#skip(tag & 7)
      else if (type.endsWith('[]')) this.#repeated(message, field, type.slice(0, -2), tag & 7, depth)
      else message[field] = this.#value(type, depth)
    }
    // The last field went on behind the end of the message.
    if (reader.pos !== end) throw wrong('has a field that is longer than its message')
    return message
  }

  /** Whether a field comes in the way its type asks for; repeated numbers may come packed. */
  #isAsked(type: string, wireType: number): boolean {
    const isRepeated = type.endsWith('[]')
    const own = WIRE_TYPES[isRepeated ? type.slice(0, -2) : type] ?? LENGTH_DELIMITED
    return wireType === own || (isRepeated && wireType === LENGTH_DELIMITED)
  }

  #repeated(message: ReadMessage, field: string, type: string, wireType: number, depth: number): void {
    message[field] ??= []
    const list = message[field] as unknown[]
    if (wireType !== LENGTH_DELIMITED || WIRE_TYPES[type] === undefined) {
      list.push(this.#value(type, depth))
      return
    }
    const end = this.#end()
    while (this.#reader.pos < end) list.push(this.#value(type, depth))
  }

  #value(type: string, depth: number): unknown {
    if (++this.#values > VALUES_MAX) throw wrong(`has more than ${VALUES_MAX} values`)
    const reader = this.#reader
    switch (type) {
      case 'string':
        return reader.string()
      case 'bytes':
        return Buffer.from(reader.bytes()).toString('hex')
      case 'bool':
        return reader.bool()
      case 'uint32':
        return reader.uint32()
      case 'sint32':
        return reader.sint32()
      case 'double':
        return reader.double()
      case 'int64':
        return String(reader.int64())
      case 'uint64':
        return String(reader.uint64())
      case 'fixed64':
        return String(reader.fixed64())
      case 'sfixed64':
        return String(reader.sfixed64())
      default:
        return this.message(type, this.#end(), depth + 1)
    }
  }

  /** Where what begins here ends. */
  #end(): number {
    const reader = this.#reader
    const length = reader.uint32()
    if (length > reader.len - reader.pos) throw wrong('ends too early')
    return reader.pos + length
  }

  #skip(wireType: number): void {
    // Groups are gone from the language long ago, and would nest without a bound.
    if (wireType === 3 || wireType === 4) throw wrong('has a group')
    this.#reader.skipType(wireType)
  }
}

function wrong(what: string, cause?: unknown): FlotillaError {
  return new FlotillaError('invalid_argument', `The body ${what}.`, { executed: 'no', cause })
}
