/**
 * The head of a request as text: request line and fields, read by the grammar and nothing beyond it. Pure.
 *
 * @source RFC 9112, 2.2 to 5; RFC 9110, 5
 * @module
 */

/** A request line whose form is right. */
export interface RequestLine {
  readonly method: string
  readonly target: string
  /** As `1.1`. */
  readonly httpVersion: string
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e\\x80-\\xff]+) HTTP/([0-9]\\.[0-9])$`)
const NAME = new RegExp(`^${TOKEN}$`)
const CONTROLS = '\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f'
/** Control characters, and line ends that are not CRLF. */
const FORBIDDEN = new RegExp(`[${CONTROLS}]|\\r(?!\\n)|(?<!\\r)\\n`)
const TAB_CODE = 9
const SPACE_CODE = 32

/** Reads the first line of a head, without its end; undefined when that is no request line. */
export function readRequestLine(line: string): RequestLine | undefined {
  const [, method, target, httpVersion] = REQUEST_LINE.exec(line) ?? []
  if (method === undefined || target === undefined || httpVersion === undefined) return undefined
  return { method, target, httpVersion }
}

/** Reads the other lines, without the end of the last; undefined when they are not fields. */
export function readFields(text: string): string[] | undefined {
  return FORBIDDEN.test(text) ? undefined : readFieldLines(text, 0)
}

/** Names and values in turn, from `start` on; undefined when a line is no field. */
export function readFieldLines(text: string, start: number): string[] | undefined {
  const fields: string[] = []
  for (let at = start; at < text.length; ) {
    const found = text.indexOf('\r\n', at)
    const end = found < 0 ? text.length : found
    const colon = text.indexOf(':', at)
    if (colon < 0 || colon > end) return undefined
    const name = text.slice(at, colon)
    if (!NAME.test(name)) return undefined
    fields.push(name, trimmed(text, colon + 1, end))
    at = end + 2
  }
  return fields
}

/** True when a head that is not whole yet can never become a good one. */
export function isHopeless(text: string): boolean {
  // The last CR may be half of a line end.
  return FORBIDDEN.test(text.endsWith('\r') ? text.slice(0, -1) : text)
}

function trimmed(text: string, start: number, end: number): string {
  let from = start
  let to = end
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function isSpace(code: number): boolean {
  return code === SPACE_CODE || code === TAB_CODE
}
