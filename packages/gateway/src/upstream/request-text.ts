/**
 * A request to a foreign server as text. Pure.
 *
 * @source RFC 9112, 3 to 6
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'

/** Anything that would end the line, or is no text. */
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/
const TARGET = /^\/[\x21-\x7e]*$/
/** Methods that say that there is no body: others do not mean to have one. */
const SAYS_NO_BODY = new Set(['POST', 'PUT', 'PATCH'])

/**
 * Fields as lines, each with its end.
 *
 * @param fields names and values in turn; names are those of fields
 * @throws FlotillaError `internal` when a value has what no value can have: the server would read another request.
 */
export function linesOf(fields: readonly string[]): string {
  let text = ''
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string
    const value = fields[index + 1] as string
    if (NO_VALUE.test(value)) throw unsendable(`The header ${name} has a value`)
    text += `${name}: ${value}\r\n`
  }
  return text
}

/** What is asked of a server. */
export interface RequestToSend {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Undefined: that of the server. */
  readonly host: string | undefined
  /** As `linesOf` gives them. */
  readonly lines: string
  readonly body: unknown
  /** Bytes of the body; undefined: it goes in chunks. */
  readonly bodyBytes: number | undefined
}

/**
 * A head, with the empty line that ends it.
 *
 * @param serverHost the host that the server has
 * @param more lines of the connection, each with its end
 * @throws FlotillaError `internal` when there is no such path or host
 */
export function headText(request: RequestToSend, serverHost: string, more: string): string {
  const { method, path, host = serverHost, lines } = request
  if (!TARGET.test(path) || NO_VALUE.test(host)) throw unsendable('The request has a target')
  return `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines}${framingOf(request)}${more}\r\n`
}

function framingOf({ method, body, bodyBytes }: RequestToSend): string {
  if (body === undefined) return SAYS_NO_BODY.has(method) ? 'content-length: 0\r\n' : ''
  return bodyBytes === undefined ? 'transfer-encoding: chunked\r\n' : `content-length: ${bodyBytes}\r\n`
}

function unsendable(what: string): FlotillaError {
  return new FlotillaError('internal', `${what} that cannot be sent.`, { executed: 'no' })
}
