/**
 * The fields of a head, read strictly: all that can be said without the request line. Clients that stay send the same ones again and
 * again, so a connection may keep what was read of the last (`http/head-reader.ts`). Pure: text in, verdict out.
 *
 * @source RFC 9110, RFC 9112; `docs/security.md` for the list of refusals
 * @module
 */
import { isIPv6 } from 'node:net'

/** Why a request is refused; the connection is closed after it. */
export interface HeadRefusal {
  readonly status: number
  readonly why: string
}

/** Fields, by what they mean. */
export interface HeadFields {
  readonly contentLength: string | undefined
  readonly transferEncoding: string | undefined
  readonly contentEncoding: string | undefined
  /** Undefined: there is none, or none that can be one. */
  readonly host: string | undefined
  readonly closes: boolean
  readonly keepsAlive: boolean
  /** In lower case; undefined: the connection is to stay what it is. */
  readonly upgrade: string | undefined
  /** In lower case. */
  readonly expect: string | undefined
  readonly authorization: string | undefined
  readonly apiKey: string | undefined
  readonly contentType: string | undefined
  /** Undefined also when what was sent cannot be one: the request gets another. */
  readonly requestId: string | undefined
  readonly idempotencyKey: string | undefined
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
  /** Several are joined: it is a list. */
  readonly prefer: string | undefined
  /** As `prefer`. */
  readonly acceptEncoding: string | undefined
  /** As `prefer`. */
  readonly cacheControl: string | undefined
  readonly origin: string | undefined
  readonly forwardedFor: string | undefined
  readonly traceparent: string | undefined
  readonly userAgent: string | undefined
  readonly corsMethod: string | undefined
  /** All fields as they came: names and values in turn. For whoever looks for one by a name of its own. */
  readonly rawHeaders: readonly string[]
}

const METHOD_OVERRIDES = new Set(['x-http-method-override', 'x-http-method', 'x-method-override'])
const HEADERS_MAX = 100
const HOST = /^(?:[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?|\[([0-9A-Fa-f:.]{2,45})\])(?::(\d{1,5}))?$/
const HOST_CHARS_MAX = 260
const PORT_MAX = 65_535
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/

/** Fields that may appear once at the most; a second one means somebody disagrees about the request. */
const single = new Map<string, keyof Fields>([
  ['host', 'host'],
  ['content-length', 'contentLength'],
  ['transfer-encoding', 'transferEncoding'],
  ['content-type', 'contentType'],
  ['content-encoding', 'contentEncoding'],
  ['authorization', 'authorization'],
  ['x-api-key', 'apiKey'],
  ['x-request-id', 'requestId'],
  ['idempotency-key', 'idempotencyKey'],
  ['if-match', 'ifMatch'],
  ['if-none-match', 'ifNoneMatch'],
  ['origin', 'origin'],
  ['traceparent', 'traceparent'],
  ['user-agent', 'userAgent'],
  ['access-control-request-method', 'corsMethod'],
])

/** Fields that are lists: they may come in pieces. */
const lists = new Map<string, keyof Fields>([
  ['prefer', 'prefer'],
  ['accept-encoding', 'acceptEncoding'],
  ['cache-control', 'cacheControl'],
  ['x-forwarded-for', 'forwardedFor'],
  ['connection', 'connection'],
  ['expect', 'expect'],
  ['upgrade', 'upgrade'],
])

interface Fields {
  host?: string
  contentLength?: string
  transferEncoding?: string
  contentType?: string
  contentEncoding?: string
  authorization?: string
  apiKey?: string
  requestId?: string
  idempotencyKey?: string
  ifMatch?: string
  ifNoneMatch?: string
  origin?: string
  traceparent?: string
  userAgent?: string
  corsMethod?: string
  prefer?: string
  acceptEncoding?: string
  cacheControl?: string
  forwardedFor?: string
  connection?: string
  expect?: string
  upgrade?: string
}

/** Reads them: names and values in turn. */
export function readHeadFields(rawHeaders: readonly string[]): HeadFields | HeadRefusal {
  const fields = sortFields(rawHeaders)
  if ('why' in fields) return fields
  const { host, connection = '', requestId, idempotencyKey } = fields
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey))
    return refuse(400, 'Idempotency-Key takes up to 255 ASCII characters.')
  const tokens = connection === '' ? [] : tokensOf(connection)
  return {
    contentLength: fields.contentLength,
    transferEncoding: fields.transferEncoding,
    contentEncoding: fields.contentEncoding,
    host: host !== undefined && isHost(host) ? host : undefined,
    closes: tokens.includes('close'),
    keepsAlive: tokens.includes('keep-alive'),
    upgrade: tokens.includes('upgrade') ? fields.upgrade?.toLowerCase() : undefined,
    expect: fields.expect?.toLowerCase(),
    authorization: fields.authorization,
    apiKey: fields.apiKey,
    contentType: fields.contentType,
    requestId: requestId !== undefined && REQUEST_ID.test(requestId) ? requestId : undefined,
    idempotencyKey,
    ifMatch: fields.ifMatch,
    ifNoneMatch: fields.ifNoneMatch,
    prefer: fields.prefer,
    acceptEncoding: fields.acceptEncoding,
    cacheControl: fields.cacheControl,
    origin: fields.origin,
    forwardedFor: fields.forwardedFor,
    traceparent: fields.traceparent,
    userAgent: fields.userAgent,
    corsMethod: fields.corsMethod,
    rawHeaders,
  }
}

function sortFields(rawHeaders: readonly string[]): Fields | HeadRefusal {
  if (rawHeaders.length > HEADERS_MAX * 2) return refuse(431, `A request may have ${HEADERS_MAX} headers.`)
  const fields: Fields = {}
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase()
    const value = rawHeaders[index + 1] as string
    // Many servers read `_` as `-`, so `transfer_encoding` would mean something to some of them.
    if (name.includes('_')) return refuse(400, 'Header names with an underscore are not taken.')
    const field = single.get(name)
    if (field !== undefined) {
      if (fields[field] !== undefined) return refuse(400, `The header ${name} is there twice.`)
      fields[field] = value
      continue
    }
    const list = lists.get(name)
    if (list !== undefined) fields[list] = joined(fields[list], value)
    else if (METHOD_OVERRIDES.has(name)) {
      return refuse(400, 'The method cannot be overridden.')
    }
  }
  return fields
}

/** A field that is a list may come in pieces. */
function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`
}

function tokensOf(list: string): string[] {
  return list
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
}

/** RFC 3986, 3.2.2 and 3.2.3, of which the Internet's names and addresses are left. */
function isHost(text: string): boolean {
  if (text.length > HOST_CHARS_MAX) return false
  const [matched, address, port = '0'] = HOST.exec(text) ?? []
  return matched !== undefined && (address === undefined || isIPv6(address)) && Number(port) <= PORT_MAX
}

function refuse(status: number, why: string): HeadRefusal {
  return { status, why }
}
