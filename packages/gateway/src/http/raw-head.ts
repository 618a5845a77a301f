/**
 * The head of a request as text: request line and fields, read by the grammar and nothing beyond it. Pure.
 *
 * @source RFC 9112, 2.2 to 5; RFC 9110, 5
 * @module
 */

/** A head whose form is right; what it means is checked by `match/request-head.ts`. */
export interface RawHead {
  readonly method: string
  readonly target: string
  /** As `1.1`. */
  readonly httpVersion: string
  /** Names as they were written, and values without the space around them, in turn. */
  readonly rawHeaders: readonly string[]
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e\\x80-\\xff]+) HTTP/([0-9]\\.[0-9])$`)
const NAME = new RegExp(`^${TOKEN}$`)
const CONTROLS = '\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f'
/** Control characters, and line ends that are not CRLF. */
const FORBIDDEN = new RegExp(`[${CONTROLS}]|\\r(?!\\n)|(?<!\\r)\\n`)
const TAB_CODE = 9
const SPACE_CODE = 32

/** Reads a head, without the empty line that ends it; undefined when that is none. */
export function readRawHead(text: string): RawHead | undefined {
  if (FORBIDDEN.test(text)) return undefined
  const lineEnd = text.indexOf('\r\n')
  const line = REQUEST_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd))
  if (line === null) return undefined
  const rawHeaders = lineEnd < 0 ? [] : readFieldLines(text, lineEnd + 2)
  if (rawHeaders === undefined) return undefined
  return { method: line[1] as string, target: line[2] as string, httpVersion: line[3] as string, rawHeaders }
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
