/**
 * The language of log searches. Terms stand side by side, and a line has to satisfy all of them:
 *
 *     word            somewhere in the message or the fields; also the name of the service or instance, or the trace's id
 *     "two words"     the same, with spaces in it; \" and \\ stand for " and \
 *     field=value     the field has exactly this value; "value" when it has spaces; a nested field is named by its path, error.code
 *     field!=value    it has another value, or there is no such field
 *     level>=warn     debug, info, warn or error; also = != > <= <
 *     service=…       likewise instance, trace, span (their ids), message (the whole of it)
 *
 * Upper and lower case are the same everywhere.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { type LineLevel, lineLevels, searchable } from './rows.ts'

const QUERY_CHARS_MAX = 1_000
const TERMS_MAX = 20
const COLUMNS = new Set(['service', 'instance', 'trace', 'span', 'message'])
const FIELD = /[\w.@/-]+/y
const OPERATOR = />=|<=|!=|=|>|</y
const BARE_VALUE = /[^\s"]+/y
const WORD = /[^\s"]+/y

/** How a level is compared. */
export type Comparison = '=' | '!=' | '>=' | '<=' | '>' | '<'

/** One condition. Texts are as the search text has them: one line, in lower case. */
export type LogTerm =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'field'; readonly field: string; readonly value: string; readonly isNot: boolean }
  | { readonly is: 'column'; readonly column: string; readonly value: string; readonly isNot: boolean }
  | { readonly is: 'level'; readonly comparison: Comparison; readonly level: LineLevel }

/**
 * Reads a search.
 *
 * @throws FlotillaError `invalid_argument` with the reason `query_invalid`, which says at which character what is wrong.
 */
export function parseLogQuery(text: string): readonly LogTerm[] {
  if (text.length > QUERY_CHARS_MAX)
    throw wrong(QUERY_CHARS_MAX, `is longer than ${QUERY_CHARS_MAX} characters`)
  const reader = new Reader(text)
  const terms: LogTerm[] = []
  for (reader.skipSpace(); !reader.isAtEnd; reader.skipSpace()) {
    if (terms.length === TERMS_MAX) throw wrong(reader.position, `has more than ${TERMS_MAX} terms`)
    terms.push(readTerm(reader))
  }
  return terms
}

function readTerm(reader: Reader): LogTerm {
  if (reader.peek === '"') return { is: 'text', text: searchable(reader.quoted()) }
  const start = reader.position
  const field = reader.take(FIELD)
  const operator = field === undefined ? undefined : reader.take(OPERATOR)
  if (field === undefined || operator === undefined) {
    reader.position = start
    return { is: 'text', text: searchable(reader.take(WORD) as string) }
  }
  const valueStart = reader.position
  const value = reader.peek === '"' ? reader.quoted() : reader.take(BARE_VALUE)
  if (value === undefined) throw wrong(valueStart, `lacks a value after ${field}${operator}`)
  return compared(field.toLowerCase(), operator as Comparison, searchable(value), start, valueStart)
}

function compared(
  field: string,
  comparison: Comparison,
  value: string,
  start: number,
  valueStart: number,
): LogTerm {
  if (field === 'level') {
    const level = lineLevels.find((one) => one === value)
    if (level === undefined) throw wrong(valueStart, `knows no level ${value} but ${lineLevels.join(', ')}`)
    return { is: 'level', comparison, level }
  }
  if (comparison !== '=' && comparison !== '!=') {
    throw wrong(
      start + field.length,
      `can compare ${field} by = and != only; by ${comparison} the level alone`,
    )
  }
  const isNot = comparison === '!='
  if (COLUMNS.has(field)) return { is: 'column', column: field, value, isNot }
  return { is: 'field', field, value, isNot }
}

/** A place in a text. */
class Reader {
  readonly #text: string
  position = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.position >= this.#text.length
  }

  get peek(): string | undefined {
    return this.#text[this.position]
  }

  skipSpace(): void {
    while (/\s/.test(this.peek ?? '')) this.position++
  }

  /** What matches here, if anything does. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position
    const found = pattern.exec(this.#text)?.[0]
    this.position += found?.length ?? 0
    return found
  }

  quoted(): string {
    const start = this.position++
    let text = ''
    for (; !this.isAtEnd; this.position++) {
      if (this.peek === '"') {
        this.position++
        return text
      }
      if (this.peek === '\\') this.position++
      text += this.peek ?? ''
    }
    throw wrong(start, 'has a quotation mark that nothing closes')
  }
}

function wrong(position: number, what: string): FlotillaError {
  const message = `The search ${what} (at character ${position + 1}).`
  return new FlotillaError('invalid_argument', message, {
    reason: 'query_invalid',
    executed: 'no',
    data: { position },
    issues: [{ pointer: '/query', message }],
  })
}
