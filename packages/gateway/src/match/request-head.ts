/**
 * What the head of a request means, read strictly.
 *
 * Its form was checked before (`http/raw-head.ts`, `stream-head.ts`). What has that form and a stranger could use to make two servers see two different
 * requests is refused here, before anything else looks at it. Pure: text in, verdict out.
 *
 * @source RFC 9110, RFC 9112; `docs/security.md` for the list of refusals
 * @module
 */
import type { HeadFields, HeadRefusal } from './head-fields.ts'

/** What the gateway looks at. Everything else in a request goes no further. */
export interface RequestHead
  extends Omit<
    HeadFields,
    'contentLength' | 'transferEncoding' | 'contentEncoding' | 'closes' | 'keepsAlive' | 'upgrade' | 'expect'
  > {
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
}

const VERSIONS = new Set(['1.0', '1.1', '2'])
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const BODYLESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])
const TARGET_CHARS_MAX = 8_192
const CONTENT_LENGTH = /^\d{1,15}$/
/** Every character a target may have (RFC 3986), percent signs only before two digits. */
const TARGET = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*$/
/** Encoded control characters, slashes and backslashes: they mean one thing here and another behind. */
const DANGEROUS_ESCAPE = /%(?:[01][0-9a-f]|7f|2f|5c)/i
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i

/**
 * Reads a head.
 *
 * @param httpVersion `2` only from `stream-head.ts`, which checks what is particular to it
 * @param fields as `readHeadFields` gave them
 * @param isBodyThere where the framing below the head tells; absent: the head does
 */
export function readHead(
  method: string,
  target: string,
  httpVersion: string,
  fields: HeadFields | HeadRefusal,
  isBodyThere?: boolean,
): RequestHead | HeadRefusal {
  if (!VERSIONS.has(httpVersion)) return refuse(505, 'HTTP/1.1, please.')
  if (!METHODS.has(method)) return refuse(501, `The method ${method.slice(0, 20)} is not known here.`)
  if ('why' in fields) return fields
  const { contentLength, transferEncoding, host, upgrade, expect } = fields
  const announcesBody = transferEncoding !== undefined || contentLength !== undefined
  const hasBody = (isBodyThere ?? announcesBody) && Number(contentLength) !== 0
  const wrongFraming = checkFraming(method, httpVersion, fields, hasBody)
  if (wrongFraming !== undefined) return wrongFraming
  if (host === undefined) return refuse(400, 'Host must be one name or address.')
  const path = readTarget(method, target, host)
  if (typeof path === 'object') return path
  const isUpgrade = upgrade !== undefined
  if (isUpgrade && (upgrade !== 'websocket' || httpVersion !== '1.1'))
    return refuse(501, 'The only other protocol that may be spoken here is WebSocket.')
  const expectsContinue = httpVersion !== '1.0' && expect !== undefined
  if (expectsContinue && expect !== '100-continue')
    return refuse(417, 'The only expectation known here is 100-continue.')
  const mark = path.indexOf('?')
  return {
    path: mark < 0 ? path : path.slice(0, mark),
    search: mark < 0 ? '' : path.slice(mark + 1),
    hasBody,
    contentLength: contentLength === undefined ? undefined : Number(contentLength),
    isChunked: transferEncoding !== undefined,
    // RFC 9112, 9.3. What wants to be a WebSocket and may not is of no use for anything else.
    keepsConnection: !isUpgrade && !fields.closes && (httpVersion !== '1.0' || fields.keepsAlive),
    isWebSocket: isUpgrade,
    expectsContinue,
    host,
    // One by one: to spread so many makes a slow object (22 µs a head instead of 0.5).
    authorization: fields.authorization,
    apiKey: fields.apiKey,
    contentType: fields.contentType,
    requestId: fields.requestId,
    idempotencyKey: fields.idempotencyKey,
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
    rawHeaders: fields.rawHeaders,
  }
}

function refuse(status: number, why: string): HeadRefusal {
  return { status, why }
}

function checkFraming(
  method: string,
  httpVersion: string,
  fields: HeadFields,
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
