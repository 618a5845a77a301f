/**
 * Messages as a .proto file describes them: what reading and writing them as JSON goes by.
 *
 * @module
 */

/** The types of Protocol Buffers that are no messages and no enums. */
export type ScalarType =
  | 'double'
  | 'float'
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'fixed32'
  | 'sfixed32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  | 'fixed64'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'

/** An enum: its numbers by name; of several names of a number, the first is the one that is written. */
export interface EnumShape {
  readonly kind: 'enum'
  /** With its package: `acme.Color`. */
  readonly name: string
  readonly numbers: ReadonlyMap<string, number>
  readonly names: ReadonlyMap<number, string>
}

/** A type that is neither message nor enum. */
export interface ScalarShape {
  readonly kind: 'scalar'
  readonly name: ScalarType
}

/** The fields of a message by their names in the .proto file; 64-bit numbers are texts or have `toString`. */
export type Fields = Readonly<Record<string, unknown>>

/** A message. */
export interface MessageShape {
  readonly kind: 'message'
  /** With its package: `acme.Item`. */
  readonly name: string
  readonly fields: readonly FieldShape[]
  /** By the name in JSON or that in the .proto file. */
  readonly field: (name: string) => FieldShape | undefined
  /** Another message of the same files, for `google.protobuf.Any`. */
  readonly other: (name: string) => MessageShape | undefined
  readonly encode: (fields: Fields) => Uint8Array
  /** @throws Error when they are not such a message. */
  readonly decode: (bytes: Uint8Array) => Fields
}

/** What a field holds. */
export type Shape = ScalarShape | EnumShape | MessageShape

/** A field of a message. */
export interface FieldShape {
  /** In the .proto file. */
  readonly name: string
  /** In JSON: `json_name`, or the name in lowerCamelCase. */
  readonly jsonName: string
  /** Of a map: of its values. */
  readonly shape: Shape
  readonly repeat: 'one' | 'list' | 'map'
  /** Of a map. */
  readonly key: ScalarType | undefined
  /** True when a value that is not there is something else than the default. */
  readonly hasPresence: boolean
  readonly isRequired: boolean
  /** Of its members, one is there at the most. */
  readonly oneof: string | undefined
}

/** A method. */
export interface GrpcMethod {
  /** `acme.Stock/Get`. */
  readonly name: string
  readonly input: MessageShape
  readonly output: MessageShape
  readonly takesStream: boolean
  readonly givesStream: boolean
  /** What `google.api.http` says of it, as it stands there. */
  readonly annotations: readonly Fields[]
}

/** What a .proto file declares. */
export interface ProtoFile {
  readonly services: ReadonlySet<string>
  /** By their names, `acme.Stock/Get`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>
}
