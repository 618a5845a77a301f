/**
 * A second reading of requests, from the text of the RFC and from nothing the gateway is made of: what the bytes on a connection say,
 * and what the service behind must see of it. Only for tests; slow and plain on purpose.
 *
 * It tells requests apart, and refuses what has two readings.
 *
 * @source RFC 9112, 2 to 9; RFC 9110, 5 and 10
 * @module
 */
import type { Seen } from './strict-gateway.test.ts'

/** One request, as its bytes say. */
export interface ReadRequest {
  readonly method: string
  readonly target: string
  /** Names in small letters. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** What the bytes on a connection say. */
export interface ReadRequests {
  readonly requests: readonly ReadRequest[]
  /** How it ends: after whole requests, within one, because one says so, or where the bytes are wrong. */
  readonly end: 'whole' | 'within' | 'closed' | 'wrong'
}

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP\/([0-9])\.([0-9])$/
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/
const NAME = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"'
const CHUNK = new RegExp(`^([0-9A-Fa-f]{1,8})((?:;${NAME}(?:=(?:${NAME}|${QUOTED}))?)*)$`)

/** Reads requests until the bytes end or stop making sense. */
export function readRequests(bytes: string): ReadRequests {
  const requests: ReadRequest[] = []
  let rest = bytes
  for (;;) {
    rest = rest.replace(/^(?:\r\n)+/, '')
    if (rest === '') return { requests, end: 'whole' }
    const headEnd = rest.indexOf('\r\n\r\n')
    if (headEnd < 0) return { requests, end: 'within' }
    const head = readRequestHead(rest.slice(0, headEnd))
    if (head === undefined) return { requests, end: 'wrong' }
    rest = rest.slice(headEnd + 4)
    const body = readBody(head, rest)
    if (typeof body === 'string') return { requests, end: body as 'within' | 'wrong' }
    requests.push({ ...head, body: body.text })
    rest = rest.slice(body.length)
    if (!head.isKept) return { requests, end: 'closed' }
  }
}

interface Head extends Omit<ReadRequest, 'body'> {
  readonly isKept: boolean
}

function readRequestHead(text: string): Head | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const [, method, target, major, minor] = REQUEST_LINE.exec(first) ?? []
  if (method === undefined || target === undefined || major !== '1' || !/^[01]$/.test(minor ?? ''))
    return undefined
  const fields = readFieldLines(lines)
  if (fields === undefined) return undefined
  const connection = valuesOf(fields, 'connection').flatMap((value) =>
    value.split(',').map((token) => token.trim().toLowerCase()),
  )
  if (minor === '0' && valuesOf(fields, 'transfer-encoding').length > 0) return undefined
  const isKept = !connection.includes('close') && (minor === '1' || connection.includes('keep-alive'))
  return { method, target, fields, isKept }
}

function readFieldLines(lines: readonly string[]): Head['fields'] | undefined {
  const fields: (readonly [string, string])[] = []
  for (const line of lines) {
    const [, name, value = ''] = FIELD.exec(line) ?? []
    if (name === undefined) return undefined
    fields.push([name.toLowerCase(), value.replace(/[ \t]+$/, '')])
  }
  return fields
}

/** All values of a field. */
function valuesOf(fields: Head['fields'], name: string): readonly string[] {
  return fields.filter(([its]) => its === name).map(([, value]) => value)
}

type Body = { readonly text: string; readonly length: number } | 'within' | 'wrong'

function readBody({ fields }: Head, rest: string): Body {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding')
  if (lengths.length + codings.length > 1) return 'wrong'
  if (codings.length > 0) return codings[0]?.toLowerCase() === 'chunked' ? readChunks(rest) : 'wrong'
  if (lengths.length === 0) return { text: '', length: 0 }
  if (!/^[0-9]{1,15}$/.test(lengths[0] ?? '')) return 'wrong'
  const length = Number(lengths[0])
  return rest.length < length ? 'within' : { text: rest.slice(0, length), length }
}

function readChunks(rest: string): Body {
  let text = ''
  let at = 0
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd < 0) return 'within'
    const size = Number.parseInt(CHUNK.exec(rest.slice(at, lineEnd))?.[1] ?? '', 16)
    if (!Number.isSafeInteger(size)) return 'wrong'
    at = lineEnd + 2
    if (size === 0) break
    if (rest.length < at + size + 2) return 'within'
    text += rest.slice(at, at + size)
    if (rest.slice(at + size, at + size + 2) !== '\r\n') return 'wrong'
    at += size + 2
  }
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd < 0) return 'within'
    const line = rest.slice(at, lineEnd)
    at = lineEnd + 2
    if (line === '') return { text, length: at }
    if (readFieldLines([line]) === undefined) return 'wrong'
  }
}

/** What the service sees of a request, if it is taken; undefined when no operation is meant. */
export function readMeaning({ method, target, fields, body }: ReadRequest): Seen | undefined {
  const host = valuesOf(fields, 'host')
  if (host.length !== 1) return undefined
  const origin = originOf(target)
  if (origin !== '' && origin.replace(/^[^/]*\/\//, '').toLowerCase() !== host[0]?.toLowerCase())
    return undefined
  const [path = '', ...search] = target.slice(origin.length).split('?')
  const parts = path.split('/').map(unescaped)
  if (parts.includes(undefined) || parts.slice(0, 3).join('/') !== '/api/v1') return undefined
  const [first, id, ...more] = parts.slice(3)
  if (more.length > 0) return undefined
  const tags = new URLSearchParams(search.join('?')).getAll('tag')
  const reads = method === 'GET' || method === 'HEAD'
  if (first === 'echo' && id === undefined && method === 'POST')
    return { operation: 'echo', input: parsed(body) }
  if (first !== 'seen') return undefined
  if (id === undefined)
    return reads ? { operation: 'list', input: tags.length > 0 ? { tag: tags[0] } : {} } : undefined
  if (reads) return { operation: 'get', input: { id } }
  if (method === 'DELETE') return { operation: 'remove', input: { id } }
  return method === 'PUT' ? { operation: 'put', input: { ...parsed(body), id } } : undefined
}

/** What stands before the path of an absolute target; '' in others. */
export function originOf(target: string): string {
  return /^https?:\/\/[^/?#]*/i.exec(target)?.[0] ?? ''
}

function unescaped(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    // Not UTF-8: there is no such path.
    return undefined
  }
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return body === ''
      ? {}
      : (JSON.parse(Buffer.from(body, 'latin1').toString('utf8')) as Record<string, unknown>)
  } catch {
    // The service must not see it; nothing equals this.
    return { isWrong: true }
  }
}
