/**
 * The head of an answer as text.
 *
 * @source RFC 9112, 4; RFC 9110, 6.6.1 (Date)
 * @module
 */
import { STATUS_CODES } from 'node:http'
import { type Clock, httpDate } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'

/** Anything that would end the line, or is no text. */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/

const statusLines = new Map(
  Object.entries(STATUS_CODES).map(([status, text]) => [Number(status), `HTTP/1.1 ${status} ${text}\r\n`]),
)

/** Makes heads; the date in them changes once a second. */
export class AnswerHeads {
  readonly #clock: Clock
  #second = -1
  #date = ''

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * A head with the empty line that ends it.
   *
   * @param headers names and values in turn
   * @param framing the lines that tell of body and connection, each with its end
   * @throws FlotillaError `internal` when a value has what no value can have: somebody would read another answer.
   */
  text(status: number, headers: readonly string[], framing: string): string {
    let text = statusLines.get(status) ?? `HTTP/1.1 ${status} -\r\n`
    for (let index = 0; index < headers.length; index += 2) {
      const value = headers[index + 1] as string
      if (FORBIDDEN.test(value))
        throw new FlotillaError('internal', `The header ${headers[index]} has a value that cannot be sent.`)
      text += `${headers[index]}: ${value}\r\n`
    }
    return `${text}${framing}${this.#dateLine()}\r\n`
  }

  #dateLine(): string {
    const nowMs = this.#clock.now()
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#date = `date: ${httpDate(nowMs)}\r\n`
    }
    return this.#date
  }
}
