/**
 * A .proto file read, with those it imports. Imports are looked for from the folder of the file on; those that come with Protocol Buffers
 * are there already, and those of Google that bring nothing but options may be absent.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import { FlotillaError } from '@flotilla/core/error'
import type protobufjs from 'protobufjs'
import type { FieldShape, Fields, GrpcMethod, MessageShape, ProtoFile, ScalarType, Shape } from './shape.ts'

type ProtobufJs = typeof protobufjs

const FILES_MAX = 200
const FILE_CHARS_MAX = 1_000_000
/** Their options are recorded without them. */
const OPTIONS_ONLY = /^(?:google\/api\/|protoc-gen-openapiv2\/options\/)/
/** What options of one's own extend; the library leaves it out. */
const DESCRIPTOR = 'google/protobuf/descriptor.proto'
const DESCRIPTOR_TEXT = `syntax = "proto2"; package google.protobuf;
${['File', 'Message', 'Field', 'Oneof', 'Enum', 'EnumValue', 'Service', 'Method']
  .map((name) => `message ${name}Options { extensions 1000 to max; }`)
  .join('\n')}`

/**
 * Reads it. The library that does is loaded at the first use.
 *
 * @throws FlotillaError `invalid_argument`, whose message says what is wrong with which file.
 */
export async function readProto(path: string): Promise<ProtoFile> {
  // A bundle has the default export only.
  const { default: protobuf } = await import('protobufjs')
  const root = new protobuf.Root()
  await readInto(protobuf, root, path)
  try {
    root.resolveAll()
  } catch (error) {
    throw wrong((error as Error).message)
  }
  const messages = new Map<string, MessageShape>()
  const services = new Set<string>()
  const methods = new Map<string, GrpcMethod>()
  for (const service of servicesIn(protobuf, root)) {
    const name = nameOf(service)
    services.add(name)
    for (const method of service.methodsArray) {
      const its = methodOf(protobuf, root, messages, name, method)
      methods.set(its.name, its)
    }
  }
  return { services, methods }
}

async function readInto(protobuf: ProtobufJs, root: protobufjs.Root, path: string): Promise<void> {
  const seen = new Set<string>()
  const waiting = [{ name: path, text: await textOf(path, path) }]
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    for (const name of parse(protobuf, root, file.name, file.text)) {
      if (seen.has(name)) continue
      seen.add(name)
      if (seen.size > FILES_MAX) throw wrong(`imports more than ${FILES_MAX} files`)
      const known = protobuf.common.get(name)
      if (known?.nested !== undefined) root.addJSON(known.nested)
      else waiting.push({ name, text: await importedText(dirname(path), name, file.name) })
    }
  }
}

async function importedText(folder: string, name: string, importer: string): Promise<string> {
  if (name === DESCRIPTOR) return DESCRIPTOR_TEXT
  const isWithin = !isAbsolute(name) && !normalize(name).startsWith('..')
  const text = isWithin ? await readFile(join(folder, name), 'utf8').catch(() => undefined) : undefined
  if (text !== undefined) return text
  if (OPTIONS_ONLY.test(name)) return ''
  throw wrong(`there is no ${name}, which ${importer} imports`)
}

async function textOf(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw wrong(`there is no file ${name} to be read`, cause)
  }
}

/** Gives the names of what it imports. */
function parse(protobuf: ProtobufJs, root: protobufjs.Root, name: string, text: string): readonly string[] {
  if (text.length > FILE_CHARS_MAX) throw wrong(`${name} is longer than ${FILE_CHARS_MAX} characters`)
  try {
    const { imports = [], weakImports = [] } = protobuf.parse(text, root, { keepCase: true })
    return [...imports, ...weakImports]
  } catch (cause) {
    throw wrong(`${name}: ${(cause as Error).message}`, cause)
  }
}

function wrong(message: string, cause?: unknown): FlotillaError {
  return new FlotillaError('invalid_argument', message, { executed: 'no', cause })
}

function nameOf(object: protobufjs.ReflectionObject): string {
  return object.fullName.replace(/^\./, '')
}

function servicesIn(protobuf: ProtobufJs, space: protobufjs.NamespaceBase): protobufjs.Service[] {
  return space.nestedArray.flatMap((object) => {
    if (object instanceof protobuf.Service) return [object]
    return object instanceof protobuf.Namespace ? servicesIn(protobuf, object) : []
  })
}

function methodOf(
  protobuf: ProtobufJs,
  root: protobufjs.Root,
  messages: Map<string, MessageShape>,
  service: string,
  method: protobufjs.Method,
): GrpcMethod {
  const { resolvedRequestType, resolvedResponseType } = method.resolve() as protobufjs.Method
  if (resolvedRequestType === null || resolvedResponseType === null)
    throw wrong(`${service}/${method.name} has no types`)
  const shapeOf = (type: protobufjs.Type): MessageShape => messageOf(protobuf, root, messages, type)
  const options: readonly Fields[] = method.parsedOptions ?? []
  return {
    name: `${service}/${method.name}`,
    input: shapeOf(resolvedRequestType),
    output: shapeOf(resolvedResponseType),
    takesStream: method.requestStream === true,
    givesStream: method.responseStream === true,
    annotations: options.flatMap((option) => {
      const rule = option['(google.api.http)']
      return rule === undefined ? [] : [rule as Fields]
    }),
  }
}

/** Messages contain one another, so each is made once, and its fields when they are asked for. */
function messageOf(
  protobuf: ProtobufJs,
  root: protobufjs.Root,
  messages: Map<string, MessageShape>,
  type: protobufjs.Type,
): MessageShape {
  const name = nameOf(type)
  const known = messages.get(name)
  if (known !== undefined) return known
  const fields: FieldShape[] = []
  const byName = new Map<string, FieldShape>()
  const shape: MessageShape = {
    kind: 'message',
    name,
    fields,
    field: (its) => byName.get(its),
    other(its) {
      const found = root.lookup(its, [protobuf.Type])
      return found instanceof protobuf.Type ? messageOf(protobuf, root, messages, found) : undefined
    },
    encode: (its) => type.encode(its).finish(),
    // Messages have their fields as properties of their own.
    decode: (bytes) => type.decode(bytes) as unknown as Fields,
  }
  messages.set(name, shape)
  for (const field of type.fieldsArray) fields.push(fieldOf(protobuf, root, messages, field))
  for (const field of fields) byName.set(field.name, field)
  for (const field of fields) byName.set(field.jsonName, field)
  return shape
}

function fieldOf(
  protobuf: ProtobufJs,
  root: protobufjs.Root,
  messages: Map<string, MessageShape>,
  field: protobufjs.Field,
): FieldShape {
  const { resolvedType, name, options, partOf } = field.resolve() as protobufjs.Field
  const { keyType } = field as protobufjs.Field & { keyType?: string }
  const shape = shapeOf()
  const isList = field.repeated
  const repeat = field.map ? 'map' : isList ? 'list' : 'one'
  return {
    name,
    jsonName: typeof options?.['json_name'] === 'string' ? options['json_name'] : camelCased(name),
    shape,
    repeat,
    key: keyType as ScalarType | undefined,
    hasPresence: repeat === 'one' && (shape.kind === 'message' || Boolean(field.hasPresence)),
    isRequired: field.required,
    // What is optional counts as a oneof of its own.
    oneof: partOf === null || partOf?.isProto3Optional ? undefined : partOf?.name,
  }

  function shapeOf(): Shape {
    if (resolvedType instanceof protobuf.Type) return messageOf(protobuf, root, messages, resolvedType)
    if (resolvedType === null) return { kind: 'scalar', name: field.type as ScalarType }
    const names = new Map<number, string>()
    const numbers = new Map(Object.entries(resolvedType.values))
    for (const [its, number] of numbers) if (!names.has(number)) names.set(number, its)
    return { kind: 'enum', name: nameOf(resolvedType), numbers, names }
  }
}

/** @source protobuf.dev, "ProtoJSON format": an underscore goes, and what follows it is a capital letter */
function camelCased(name: string): string {
  return name.replace(/_(.)/g, (_, next: string) => next.toUpperCase())
}
