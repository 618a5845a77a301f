/**
 * A request as the input of a method: path, query and body are put together to the JSON of one message, and what the path says goes
 * before what the body says. Pure.
 *
 * @source google/api/http.proto, "Rules for HTTP mapping"
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { pointerTo } from '@flotilla/core/json'
import { isWrapper, readMessage } from './json-reader.ts'
import { writeField, writeMessage } from './json-writer.ts'
import { type PathBinding, valueIn } from './path-template.ts'
import type { FieldShape, Fields, GrpcMethod, MessageShape, Shape } from './shape.ts'

/** Where the parts of a request go. */
export interface BindingRule {
  readonly path: readonly PathBinding[]
  /** The field that the body is, or `*`; undefined: there is none. */
  readonly body: string | undefined
  /** The field of the answer that is its body; undefined: the whole. */
  readonly response: string | undefined
}

const WHOLE = '*'
/** Messages that are a text in JSON. */
const TEXTS = /^google\.protobuf\.(?:Timestamp|Duration|FieldMask)$/

/** One way to ask a method. */
export class Binding {
  readonly #method: GrpcMethod
  readonly #rule: BindingRule
  readonly #path: readonly (readonly [PathBinding, readonly FieldShape[]])[]
  readonly #body: FieldShape | undefined
  readonly #response: FieldShape | undefined
  /** The fields that the query may not say, by their paths. */
  readonly #taken: ReadonlySet<string>

  /** @param rule `mistakesInRule` has none to tell of it. */
  constructor(method: GrpcMethod, rule: BindingRule) {
    const { input, output } = method
    this.#method = method
    this.#rule = rule
    this.#path = rule.path.map((one) => [one, fieldsOf(input, one.field) ?? []])
    this.#body = rule.body === undefined ? undefined : input.field(rule.body)
    this.#response = rule.response === undefined ? undefined : output.field(rule.response)
    const body = this.#body === undefined ? [] : [[this.#body]]
    this.#taken = new Set([...this.#path.map(([, fields]) => fields), ...body].map(pathOf))
  }

  get takesBody(): boolean {
    return this.#rule.body !== undefined
  }

  /**
   * The message, as bytes.
   *
   * @param body JSON; undefined: there is none
   * @throws FlotillaError `invalid_argument`, with the fields that are wrong.
   */
  input(path: string, search: string, body: unknown): Uint8Array {
    const { input } = this.#method
    return input.encode(readMessage(input, this.#json(path, search, body)))
  }

  /**
   * What is answered for the message, as JSON.
   *
   * @throws FlotillaError `internal` (502) when the bytes are no such message, or tell of one that is not known here.
   */
  output(bytes: Uint8Array): unknown {
    const { output } = this.#method
    const fields = decoded(output, bytes)
    return this.#response === undefined ? writeMessage(output, fields) : writeField(this.#response, fields)
  }

  #json(path: string, search: string, body: unknown): unknown {
    const json = this.#body === undefined ? body : body === undefined ? {} : { [this.#body.jsonName]: body }
    const fields = json === undefined ? {} : json
    if (!isObject(fields)) return fields
    for (const [name, texts] of byName(search)) this.#putQuery(fields, name, texts)
    for (const [binding, its] of this.#path)
      put(fields, its, textAs(its.at(-1)?.shape, valueIn(binding, path)))
    return fields
  }

  #putQuery(json: Record<string, unknown>, name: string, texts: readonly string[]): void {
    const { body } = this.#rule
    if (body === WHOLE) throw wrong(name, 'nothing is taken from the query here')
    const fields = fieldsOf(this.#method.input, name)
    const last = fields?.at(-1)
    if (fields === undefined || last === undefined) throw wrong(name, 'there is no such field')
    if (fields.some((_, index) => this.#taken.has(pathOf(fields.slice(0, index + 1)))))
      throw wrong(name, 'is not taken from the query')
    if (last.repeat === 'map' || !isText(last.shape)) throw wrong(name, 'is nothing that a query can say')
    if (last.repeat === 'one' && texts.length > 1) throw wrong(name, 'is said twice')
    const values = texts.map((text) => textAs(last.shape, text))
    put(json, fields, last.repeat === 'list' ? values : values[0])
  }
}

function decoded(shape: MessageShape, bytes: Uint8Array): Fields {
  try {
    return shape.decode(bytes)
  } catch (cause) {
    throw new FlotillaError('internal', 'The answer cannot be read.', { status: 502, cause })
  }
}

/** What of `rule` does not fit the method: what it is about, and what is wrong. */
export function mistakesInRule(
  { input, output }: GrpcMethod,
  { path, body, response }: BindingRule,
): readonly (readonly [part: 'path' | 'body' | 'response', message: string])[] {
  const mistakes: (readonly ['path' | 'body' | 'response', string])[] = []
  for (const { field } of path) {
    const last = fieldsOf(input, field)?.at(-1)
    if (last === undefined) mistakes.push(['path', `${input.name} has no field ${field}`])
    else if (last.repeat !== 'one' || !isText(last.shape))
      mistakes.push(['path', `${field} is nothing that a path can say`])
  }
  if (body !== undefined && body !== WHOLE && input.field(body) === undefined)
    mistakes.push(['body', `${input.name} has no field ${body}`])
  if (response !== undefined && output.field(response) === undefined)
    mistakes.push(['response', `${output.name} has no field ${response}`])
  return mistakes
}

/** The fields on the way to `path`; undefined when there are none such, or one on the way has no fields. */
function fieldsOf(shape: MessageShape, path: string): readonly FieldShape[] | undefined {
  const fields: FieldShape[] = []
  let its: Shape = shape
  for (const name of path.split('.')) {
    const isClosed: boolean = fields.at(-1)?.repeat !== 'one' && fields.length > 0
    const field: FieldShape | undefined =
      its.kind === 'message' && !isClosed && !(fields.length > 0 && isText(its)) ? its.field(name) : undefined
    if (field === undefined) return undefined
    fields.push(field)
    its = field.shape
  }
  return fields
}

function pathOf(fields: readonly FieldShape[]): string {
  return fields.map(({ name }) => name).join('.')
}

/** True for what one text can say. */
function isText(shape: Shape): boolean {
  return shape.kind !== 'message' || TEXTS.test(shape.name) || isWrapper(shape.name)
}

/** The JSON that a text stands for; texts that stand for nothing are told of when they are read. */
function textAs(shape: Shape | undefined, text: string): unknown {
  if (shape?.kind === 'enum') return /^-?\d{1,10}$/.test(text) ? Number(text) : text
  if (shape?.kind === 'message' && isWrapper(shape.name)) return textAs(shape.field('value')?.shape, text)
  if (shape?.kind !== 'scalar' || shape.name !== 'bool') return text
  return text === 'true' || (text === 'false' ? false : text)
}

/** Sets a field, within others that are made where there are none. */
function put(json: Record<string, unknown>, fields: readonly FieldShape[], value: unknown): void {
  let its = json
  for (const { name, jsonName } of fields.slice(0, -1)) {
    const inner = its[jsonName] ?? its[name] ?? {}
    // The reader tells of it.
    if (!isObject(inner)) return
    delete its[name]
    its[jsonName] = inner
    its = inner
  }
  const last = fields.at(-1) as FieldShape
  delete its[last.name]
  its[last.jsonName] = value
}

function byName(search: string): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, string[]>()
  for (const [name, text] of new URLSearchParams(search)) {
    const its = texts.get(name)
    if (its === undefined) texts.set(name, [text])
    else its.push(text)
  }
  return texts
}

function wrong(name: string, message: string): FlotillaError {
  return new FlotillaError('invalid_argument', `The input is not valid: ${name} ${message}.`, {
    executed: 'no',
    issues: [{ pointer: pointerTo(name), message }],
  })
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
