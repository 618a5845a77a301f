/**
 * What the head of a request means, read strictly.
 *
 * Its form was checked before (`http/raw-head.ts`, `stream-head.ts`). What has that form and a stranger could use to make two servers see two different
 * requests is refused here, before anything else looks at it. Pure: text in, verdict out.
 *
 * @source RFC 9110, RFC 9112; `docs/security.md` for the list of refusals
 * @module
 */
import { isIPv6 } from 'node:net'

/** What the gateway looks at. Everything else in a request goes no further. */
export interface RequestHead {
  readonly path: string
  /** Without the question mark; '' when there is none. */
  readonly search: string
  readonly hasBody: boolean
  /** In bytes; undefined when it is chunked, or nobody says. */
  readonly contentLength: number | undefined
  readonly isChunked: boolean
  /** False when the client closes after the answer. */
  readonly keepsConnection: boolean
  /** Asks to go on as a WebSocket. */
  readonly isWebSocket: boolean
  /** Waits with its body until it is asked for it. */
  readonly expectsContinue: boolean
  readonly host: string
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
  readonly cacheControl: string | undefined
  readonly origin: string | undefined
  readonly forwardedFor: string | undefined
  readonly traceparent: string | undefined
  readonly userAgent: string | undefined
  readonly corsMethod: string | undefined
  /** Several are joined: over HTTP/2 they come in pieces. */
  readonly cookie: string | undefined
  /** All fields as they came: names and values in turn. For whoever looks for one by a name of its own. */
  readonly rawHeaders: readonly string[]
}

/** Why a request is refused; the connection is closed after it. */
export interface HeadRefusal {
  readonly status: number
  readonly why: string
}

const VERSIONS = new Set(['1.0', '1.1', '2'])
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const BODYLESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])
const METHOD_OVERRIDES = new Set(['x-http-method-override', 'x-http-method', 'x-method-override'])
const TARGET_CHARS_MAX = 8_192
const HEADERS_MAX = 100
const HOST = /^(?:[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.?|\[([0-9A-Fa-f:.]{2,45})\])(?::(\d{1,5}))?$/
const HOST_CHARS_MAX = 260
const PORT_MAX = 65_535
const CONTENT_LENGTH = /^\d{1,15}$/
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/
/** Every character a target may have (RFC 3986), percent signs only before two digits. */
const TARGET = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/
/** Encoded control characters, slashes and backslashes: they mean one thing here and another behind. */
const DANGEROUS_ESCAPE = /%(?:[01][0-9a-f]|7f|2f|5c)/i
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i

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
  cookie?: string
  prefer?: string
  cacheControl?: string
  forwardedFor?: string
  connection?: string
  expect?: string
  upgrade?: string
}

/**
 * Reads a head: names and values in turn.
 *
 * @param httpVersion `2` only from `stream-head.ts`, which checks what is particular to it
 * @param isBodyThere where the framing below the head tells; absent: the head does
 */
export function readHead(
  method: string,
  target: string,
  httpVersion: string,
  rawHeaders: readonly string[],
  isBodyThere?: boolean,
): RequestHead | HeadRefusal {
  if (!VERSIONS.has(httpVersion)) return refuse(505, 'HTTP/1.1, please.')
  if (!METHODS.has(method)) return refuse(501, `The method ${method.slice(0, 20)} is not known here.`)
  const fields = readFields(rawHeaders)
  if ('why' in fields) return fields
  const hasBody = (isBodyThere ?? announcesBody(fields)) && Number(fields.contentLength) !== 0
  const wrongFraming = checkFraming(method, httpVersion, fields, hasBody)
  if (wrongFraming !== undefined) return wrongFraming
  const { host } = fields
  if (host === undefined || !isHost(host)) return refuse(400, 'Host must be one name or address.')
  const path = readTarget(method, target, host)
  if (typeof path === 'object') return path
  const wishes = readWishes(httpVersion, fields)
  if ('why' in wishes) return wishes
  const mark = path.indexOf('?')
  const length = fields.contentLength === undefined ? undefined : Number(fields.contentLength)
  return {
    path: mark < 0 ? path : path.slice(0, mark),
    search: mark < 0 ? '' : path.slice(mark + 1),
    hasBody,
    contentLength: length,
    isChunked: fields.transferEncoding !== undefined,
    ...wishes,
    host,
    authorization: fields.authorization,
    apiKey: fields.apiKey,
    contentType: fields.contentType,
    requestId: isRequestId(fields.requestId) ? fields.requestId : undefined,
    idempotencyKey: fields.idempotencyKey,
    ifMatch: fields.ifMatch,
    ifNoneMatch: fields.ifNoneMatch,
    prefer: fields.prefer,
    cacheControl: fields.cacheControl,
    origin: fields.origin,
    forwardedFor: fields.forwardedFor,
    traceparent: fields.traceparent,
    userAgent: fields.userAgent,
    corsMethod: fields.corsMethod,
    cookie: fields.cookie,
    rawHeaders,
  }
}

/** What the client wants beside an answer. */
function readWishes(
  httpVersion: string,
  { connection = '', expect, idempotencyKey, upgrade }: Fields,
): Pick<RequestHead, 'keepsConnection' | 'expectsContinue' | 'isWebSocket'> | HeadRefusal {
  const tokens = connection === '' ? [] : tokensOf(connection)
  const isUpgrade = upgrade !== undefined && tokens.includes('upgrade')
  if (isUpgrade && (upgrade.toLowerCase() !== 'websocket' || httpVersion !== '1.1'))
    return refuse(501, 'The only other protocol that may be spoken here is WebSocket.')
  const expectsContinue = httpVersion !== '1.0' && expect !== undefined
  if (expectsContinue && expect.toLowerCase() !== '100-continue')
    return refuse(417, 'The only expectation known here is 100-continue.')
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey))
    return refuse(400, 'Idempotency-Key takes up to 255 ASCII characters.')
  // RFC 9112, 9.3. What wants to be a WebSocket and may not is of no use for anything else.
  const keepsConnection =
    !isUpgrade && !tokens.includes('close') && (httpVersion !== '1.0' || tokens.includes('keep-alive'))
  return { keepsConnection, expectsContinue, isWebSocket: isUpgrade }
}

/** RFC 3986, 3.2.2 and 3.2.3, of which the Internet's names and addresses are left. */
function isHost(text: string): boolean {
  if (text.length > HOST_CHARS_MAX) return false
  const [matched, address, port = '0'] = HOST.exec(text) ?? []
  return matched !== undefined && (address === undefined || isIPv6(address)) && Number(port) <= PORT_MAX
}

function isRequestId(text: string | undefined): boolean {
  return text !== undefined && REQUEST_ID.test(text)
}

function refuse(status: number, why: string): HeadRefusal {
  return { status, why }
}

function readFields(rawHeaders: readonly string[]): Fields | HeadRefusal {
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
    // RFC 9113, 8.2.3
    else if (name === 'cookie')
      fields.cookie = fields.cookie === undefined ? value : `${fields.cookie}; ${value}`
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

function announcesBody({ contentLength, transferEncoding }: Fields): boolean {
  return transferEncoding !== undefined || contentLength !== undefined
}

function checkFraming(
  method: string,
  httpVersion: string,
  fields: Fields,
  hasBody: boolean,
): HeadRefusal | undefined {
  const { contentLength, transferEncoding, contentEncoding } = fields
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined)
      return refuse(400, 'Content-Length and Transfer-Encoding exclude each other.')
    if (transferEncoding.toLowerCase() !== 'chunked') return refuse(400, 'Transfer-Encoding must be chunked.')
    if (httpVersion !== '1.1') return refuse(400, 'Transfer-Encoding needs HTTP/1.1.')
  }
  if (contentLength !== undefined && !CONTENT_LENGTH.test(contentLength)) {
    return refuse(400, 'Content-Length must be a number.')
  }
  if (hasBody && BODYLESS.has(method)) return refuse(400, `A ${method} takes no body.`)
  if (contentEncoding !== undefined) return refuse(415, 'Compressed bodies are not taken.')
  return undefined
}

/** Path and query; absolute targets lose their origin, which must be the Host. */
function readTarget(method: string, target: string, host: string): string | HeadRefusal {
  if (target.length > TARGET_CHARS_MAX)
    return refuse(414, `A target may have ${TARGET_CHARS_MAX} characters.`)
  if (target === '*') return method === 'OPTIONS' ? '/' : refuse(400, 'Only OPTIONS takes the target *.')
  let relative = target
  if (!target.startsWith('/')) {
    const absolute = /^https?:\/\/([^/?#]*)(\/.*)?$/i.exec(target)
    if (absolute === null || absolute[1]?.toLowerCase() !== host.toLowerCase()) {
      return refuse(400, 'The target must be a path, or name the Host.')
    }
    relative = absolute[2] ?? '/'
  }
  if (!TARGET.test(relative)) return refuse(400, 'The target has characters that must be escaped.')
  const path = relative.split('?', 1)[0] as string
  if (DANGEROUS_ESCAPE.test(path) || /%(?:00|0d|0a)/i.test(relative)) {
    return refuse(400, 'The target has an escape that is not taken.')
  }
  if (DOT_SEGMENT.test(path)) return refuse(400, 'The path has dot segments.')
  return isUtf8(relative) ? relative : refuse(400, 'The target is not UTF-8.')
}

function isUtf8(target: string): boolean {
  if (!target.includes('%')) return true
  try {
    decodeURIComponent(target)
    return true
  } catch {
    // What it throws for is exactly what is asked here.
    return false
  }
}
