/**
 * How an operation looks in HTTP: where each input field travels, and back.
 *
 * Fields named in the path come from the path; the field named by `ifMatch` from the `If-Match` header, that named by
 * `prefer` from the `Prefer` header, that of `browsing` from a cookie, that of `provenKey` from the gateway's check; all others from the query string
 * (GET, DELETE) or the JSON body (POST, PUT, PATCH). One mapping serves the gateway,
 * the HTTP face of every service and the HTTP client, so none of them can disagree with another.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { FlotillaError, type Issue } from '../kernel/error.ts'
import { pointerTo } from '../kernel/json.ts'
import type { Operation } from './operation.ts'
import { waitOf } from './prefer.ts'
import type { Method, Rest } from './route.ts'
import type { TSchema } from './schema.ts'

/** The parts of an HTTP request an input is read from. */
export interface RestRequest {
  /** Path parameters, percent-decoded. */
  readonly parameters: Readonly<Record<string, string | undefined>>
  /** The query string without its question mark; '' when there is none. */
  readonly search: string
  readonly ifMatch: string | undefined
  readonly prefer: string | undefined
  /** What the browser keeps for `browsing`, where that is asked for. */
  readonly cookie?: string | undefined
  /** What was checked for `provenKey`, where that is asked for. */
  readonly provenKey?: string | undefined
  /** The parsed JSON body; undefined when there is none. */
  readonly body: unknown
}

/**
 * Gathers an operation's input from a request. It is not validated yet; text from the path and the query has
 * become numbers and booleans where the schema wants them.
 *
 * @throws FlotillaError `invalid_argument` with issues; 428 when a required `If-Match` is missing.
 */
export function readInput(operation: Operation, request: RestRequest): unknown {
  const rest = operation.rest as Rest
  const fields = fieldsOf(operation.input)
  const input: Record<string, unknown> = rest.hasBody
    ? readBody(rest, request.body)
    : readSearch(rest, fields, request.search)
  for (const name of rest.parameters) {
    input[name] = coerce(fields[name], request.parameters[name] ?? '')
  }
  if (rest.ifMatch !== undefined) {
    const version = readIfMatch(operation, rest.ifMatch, request.ifMatch)
    if (version !== undefined) input[rest.ifMatch] = version
  }
  if (rest.browsing !== undefined && request.cookie !== undefined)
    input[rest.browsing.cookie] = request.cookie
  if (rest.provenKey !== undefined && request.provenKey !== undefined)
    input[rest.provenKey] = request.provenKey
  if (rest.prefer !== undefined && request.prefer !== undefined) {
    const waitS = waitOf(request.prefer)
    const { maximum = 0 } = fields[rest.prefer] as { maximum?: number }
    if (waitS !== undefined) input[rest.prefer] = Math.min(waitS, maximum)
  }
  return input
}

/** A request that `readInput` reads back as `input`. */
export interface WrittenRequest {
  readonly method: Method
  /** With the query string, without prefix or host. */
  readonly target: string
  readonly ifMatch: string | undefined
  readonly prefer: string | undefined
  readonly body: unknown
}

/** Spreads an input over path, query, headers and body. */
export function writeInput(operation: Operation, input: Readonly<Record<string, unknown>>): WrittenRequest {
  const rest = operation.rest as Rest
  const remaining: Record<string, unknown> = { ...input }
  const path = rest.path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    delete remaining[name]
    return encodeURIComponent(String(input[name]))
  })
  let ifMatch: string | undefined
  if (rest.ifMatch !== undefined && input[rest.ifMatch] !== undefined) {
    ifMatch = `"${String(input[rest.ifMatch])}"`
    delete remaining[rest.ifMatch]
  }
  const prefer = preferenceOf(rest, input)
  if (rest.prefer !== undefined) delete remaining[rest.prefer]
  if (rest.hasBody) return { method: rest.method, target: path, ifMatch, prefer, body: remaining }
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(remaining)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) search.append(name, String(item))
    }
  }
  return {
    method: rest.method,
    target: search.size > 0 ? `${path}?${search}` : path,
    ifMatch,
    prefer,
    body: undefined,
  }
}

/** The preference `input` came with, or is to be sent with: `Prefer` of a request, `Preference-Applied` of its answer. */
export function preferenceOf(rest: Rest, input: unknown): string | undefined {
  const waitS = rest.prefer === undefined ? undefined : (input as Record<string, unknown>)[rest.prefer]
  // An input that was not checked yet may hold anything.
  return Number.isInteger(waitS) ? `wait=${waitS}` : undefined
}

/** The status an answer goes out with. */
export function statusOf({ status, acceptedWhile }: Rest, output: unknown): number {
  if (acceptedWhile === undefined) return status
  const { field, value } = acceptedWhile
  return (output as Record<string, unknown>)[field] === value ? ACCEPTED : status
}

/** @source RFC 9110, 15.3.3: the outcome is not known yet */
export const ACCEPTED = 202

type Fields = Readonly<Record<string, TSchema | undefined>>

function fieldsOf(schema: TSchema): Fields {
  return (schema as { properties?: Fields }).properties ?? {}
}

function refuse(...issues: readonly Issue[]): FlotillaError {
  return new FlotillaError('invalid_argument', 'The request is not valid.', { executed: 'no', issues })
}

function readBody(rest: Rest, body: unknown): Record<string, unknown> {
  if (body === undefined) return {}
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refuse({ pointer: '', message: 'must be a JSON object' })
  }
  for (const name of rest.parameters) {
    if (Object.hasOwn(body, name))
      throw refuse({ pointer: `/${name}`, message: 'belongs in the path, not in the body' })
  }
  if (rest.ifMatch !== undefined && Object.hasOwn(body, rest.ifMatch)) {
    throw refuse({ pointer: `/${rest.ifMatch}`, message: 'belongs in the If-Match header, not in the body' })
  }
  if (rest.prefer !== undefined && Object.hasOwn(body, rest.prefer)) {
    throw refuse({ pointer: `/${rest.prefer}`, message: 'belongs in the Prefer header, not in the body' })
  }
  if (rest.browsing !== undefined && Object.hasOwn(body, rest.browsing.cookie)) {
    throw refuse({ pointer: `/${rest.browsing.cookie}`, message: 'belongs in its cookie, not in the body' })
  }
  if (rest.provenKey !== undefined && Object.hasOwn(body, rest.provenKey)) {
    throw refuse({
      pointer: `/${rest.provenKey}`,
      message: 'follows from the DPoP header, not from the body',
    })
  }
  return { ...body }
}

function inHeaders({ ifMatch, prefer, browsing, provenKey }: Rest): readonly (string | undefined)[] {
  return [ifMatch, prefer, browsing?.cookie, provenKey]
}

function readSearch(rest: Rest, fields: Fields, search: string): Record<string, unknown> {
  const input: Record<string, unknown> = {}
  if (search === '') return input
  for (const [name, text] of new URLSearchParams(search)) {
    const schema = Object.hasOwn(fields, name) ? fields[name] : undefined
    const isElsewhere = rest.parameters.includes(name) || inHeaders(rest).includes(name)
    if (schema === undefined || isElsewhere) {
      throw refuse({ pointer: pointerTo(name), message: 'is not a known field of the query string' })
    }
    const { type, items } = schema as { type?: string; items?: TSchema }
    const isGiven = Object.hasOwn(input, name)
    if (type === 'array') {
      if (!isGiven) input[name] = []
      ;(input[name] as unknown[]).push(coerce(items, text))
    } else if (isGiven) {
      throw refuse({ pointer: pointerTo(name), message: 'is given twice' })
    } else input[name] = coerce(schema, text)
  }
  return input
}

/** Everything `String` makes of a finite number: 17 digits and more zeros, or an exponent. */
const NUMBER = /^-?\d{1,21}(\.\d{1,24})?(e[+-]\d{1,3})?$/

/** Text as what the schema wants; left as text when it is not that, so that the check can say what is wrong. */
function coerce(schema: TSchema | undefined, text: string): unknown {
  switch ((schema as { type?: string } | undefined)?.type) {
    case 'integer':
      return /^-?\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text
    case 'number':
      return NUMBER.test(text) && Number.isFinite(Number(text)) ? Number(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    default:
      return text
  }
}

/**
 * The entity tag of an answer: its version, which is all that `If-Match` goes by, and a check of its bytes. An answer may
 * hold more than what its version counts, such as the stock of a product, so the version alone would let a client
 * keep what is no longer true.
 *
 * @source RFC 9110, 8.8.3: a strong tag changes whenever the representation does
 */
export function entityTag(version: unknown, body: string | Uint8Array): string {
  const check = createHash('sha256').update(body).digest('base64url').slice(0, CHECK_CHARS)
  return `"${String(version)}-${check}"`
}

const CHECK_CHARS = 8
/** A version by itself will do: a program may know it from the body. */
const ENTITY_TAG = /^"(\d{1,15})(?:-[\w-]{8})?"$/

function readIfMatch(operation: Operation, field: string, header: string | undefined): number | undefined {
  if (header === undefined) {
    const { required } = operation.input as { required?: readonly string[] }
    if (!required?.includes(field)) return undefined
    throw new FlotillaError('failed_precondition', 'Send the ETag you read as If-Match.', {
      executed: 'no',
      status: 428,
    })
  }
  const match = ENTITY_TAG.exec(header)
  if (!match) throw refuse({ pointer: `/${field}`, message: 'If-Match must be an ETag this API gave' })
  return Number(match[1])
}
