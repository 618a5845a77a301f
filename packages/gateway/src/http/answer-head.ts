/**
 * The head of an answer: as text, or as the fields of HTTP/2.
 *
 * @source RFC 9112, 4; RFC 9110, 6.6.1 (Date)
 * @module
 */
import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http'
import { type Clock, httpDate } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'

/** Anything that would end the line, or is no text. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/

/** Nothing that HTTP/2 has a place for. */
const OF_CONNECTIONS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

const statusLines = new Map(
  Object.entries(STATUS_CODES).map(([status, text]) => [Number(status), `HTTP/1.1 ${status} ${text}\r\n`]),
)

/** Makes heads; the date in them changes once a second. */
export class AnswerHeads {
  readonly #clock: Clock
  readonly #always: readonly string[]
  readonly #alwaysText: string
  #second = -1
  #date = ''

  /** `always`: names and values in turn that every answer has. */
  constructor(clock: Clock, always: readonly string[] = []) {
    this.#clock = clock
    this.#always = always
    this.#alwaysText = linesOf(always)
  }

  /**
   * A head with the empty line that ends it.
   *
   * @param headers names and values in turn
   * @param framing the lines that tell of body and connection, each with its end
   * @throws FlotillaError `internal` when a value has what no value can have: somebody would read another answer.
   */
  text(status: number, headers: readonly string[], framing: string): string {
    const line = statusLines.get(status) ?? `HTTP/1.1 ${status} -\r\n`
    return `${line}${linesOf(headers)}${this.#alwaysText}${framing}date: ${this.#dateNow()}\r\n\r\n`
  }

  /** The same as fields of HTTP/2, without those of connections; throws as `text` does. */
  fields(status: number, headers: readonly string[]): OutgoingHttpHeaders {
    const fields: Record<string, string | string[]> = { ':status': String(status), date: this.#dateNow() }
    for (const part of [headers, this.#always]) {
      for (let index = 0; index < part.length; index += 2) {
        const name = part[index] as string
        if (OF_CONNECTIONS.has(name)) continue
        const value = checked(name, part[index + 1] as string)
        const before = fields[name]
        fields[name] = before === undefined ? value : [before, value].flat()
      }
    }
    return fields
  }

  #dateNow(): string {
    const nowMs = this.#clock.now()
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#date = httpDate(nowMs)
    }
    return this.#date
  }
}

function linesOf(headers: readonly string[]): string {
  let text = ''
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string
    text += `${name}: ${checked(name, headers[index + 1] as string)}\r\n`
  }
  return text
}

function checked(name: string, value: string): string {
  if (!FORBIDDEN.test(value)) return value
  throw new FlotillaError('internal', `The header ${name} has a value that cannot be sent.`)
}
