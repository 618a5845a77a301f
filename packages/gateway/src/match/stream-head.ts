/**
 * The head of a request of HTTP/2: what is particular to it is checked here, all else by the rules that both versions share.
 *
 * nghttp2 checks much of this before; what it passes over in silence, and what it leaves to others, is looked at all the same. Pure.
 *
 * @source RFC 9113, 8.2 and 8.3; `docs/security.md` for what is stricter
 * @module
 */
import { type HeadRefusal, readHeadFields } from './head-fields.ts'
import { type RequestHead, readHead } from './request-head.ts'

/** A head, and what the access log tells of one that is refused. */
export interface StreamHead {
  readonly method: string
  readonly target: string
  readonly head: RequestHead | HeadRefusal
}

/** Octets of names and values with 32 for each field, as RFC 9113, 6.5.2 counts. */
export const HEADER_LIST_SIZE_MAX = 16 * 1024
const FIELD_OVERHEAD = 32
const PSEUDO = new Set([':method', ':scheme', ':path', ':authority'])
/** Of a connection, which a stream is not. */
const OF_CONNECTIONS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const CONTROLS = '\\0-\\x08\\x0a-\\x1f\\x7f'
/** Control characters, and space around a value: fields of HTTP/2 have none that could be meant. */
const FORBIDDEN = new RegExp(`[${CONTROLS}]|^[\\t ]|[\\t ]$`)

interface Split {
  readonly pseudo: ReadonlyMap<string, string>
  readonly fields: readonly string[]
  readonly host: string | undefined
}

/**
 * Reads it.
 *
 * @param rawHeaders names and values in turn, pseudo fields among them
 * @param isEnded true when no body follows
 */
export function readStreamHead(rawHeaders: readonly string[], isEnded: boolean): StreamHead {
  const split = splitFields(rawHeaders)
  if ('why' in split) return { method: '-', target: '', head: split }
  const method = split.pseudo.get(':method') ?? '-'
  const target = split.pseudo.get(':path') ?? ''
  return { method, target, head: readSplit(method, target, split, isEnded) }
}

function readSplit(
  method: string,
  path: string,
  { pseudo, fields, host }: Split,
  isEnded: boolean,
): RequestHead | HeadRefusal {
  // The one method without a scheme and a path, and not taken.
  if (method !== 'CONNECT') {
    if (pseudo.get(':scheme') !== 'https') return refuse('The scheme must be https.')
    if (!path.startsWith('/') && path !== '*') return refuse('The path must begin with a slash.')
  }
  const authority = pseudo.get(':authority') ?? host
  if (authority === undefined) return refuse('There must be an authority.')
  if (host !== undefined && host.toLowerCase() !== authority.toLowerCase())
    return refuse('Host must be the authority.')
  const head = readHead(method, path, '2', readHeadFields(['host', authority, ...fields]), !isEnded)
  if ('why' in head) return head
  const { contentLength = 0 } = head
  return isEnded && contentLength > 0 ? refuse('There is no body of that Content-Length.') : head
}

function splitFields(rawHeaders: readonly string[]): Split | HeadRefusal {
  const pseudo = new Map<string, string>()
  const fields: string[] = []
  let host: string | undefined
  let size = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    size += name.length + value.length + FIELD_OVERHEAD
    if (size > HEADER_LIST_SIZE_MAX) return { status: 431, why: 'The head of the request is too long.' }
    if (FORBIDDEN.test(value)) return refuse('A header has a value that none can have.')
    if (name.startsWith(':')) {
      if (!PSEUDO.has(name) || pseudo.has(name) || fields.length > 0 || host !== undefined)
        return refuse('The pseudo-headers are not those of a request.')
      pseudo.set(name, value)
      continue
    }
    const why = faultOf(name, value)
    if (why !== undefined) return refuse(why)
    if (name !== 'host') fields.push(name, value)
    else if (host === undefined) host = value
    else return refuse('The header host is there twice.')
  }
  return { pseudo, fields, host }
}

function faultOf(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'A header has a name that none can have.'
  if (OF_CONNECTIONS.has(name)) return `The header ${name} has no place in HTTP/2.`
  return name === 'te' && value !== 'trailers' ? 'TE may be trailers.' : undefined
}

function refuse(why: string): HeadRefusal {
  return { status: 400, why }
}
